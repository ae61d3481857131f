"""What the server does in one step: scripts in its own Lua.

Each takes an object's key and that of its companion, where its attributes are (see `companions`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

Argument: TypeAlias = bytes | memoryview | int
Command: TypeAlias = tuple[Argument, ...]
Reply: TypeAlias = Any
"""Bytes, a number, None, a list of such, or an error that the server answered with."""

_COMMON = """
local function mark(key, size)
  if size <= 1024 then return redis.sha1hex(redis.call('GET', key)) end
  local parts = {string.format('%d', size)}
  for i = 0, 15 do
    local at = math.floor(i * (size - 64) / 15)
    parts[i + 2] = redis.call('GETRANGE', key, at, at + 63)
  end
  return redis.sha1hex(table.concat(parts))
end

local function look(key, companion)
  local size = redis.call('STRLEN', key)
  if size == 0 and redis.call('EXISTS', key) == 0 then return nil end
  local now = mark(key, size)
  local said = redis.call('GET', companion)
  if said and string.sub(said, 1, 40) == now then
    return {size, string.sub(said, 41, 72), string.sub(said, 73)}
  end
  return {size, now, ''}
end

local function refusal(key, companion, absent, match, token)
  if absent == '' and match == '' then return nil end
  local found = look(key, companion)
  if found and token ~= '' and found[2] == token then return {1} end
  if absent ~= '' then return found and {0, found} end
  if not found then return {0} end
  if '=' .. found[2] ~= match then return {0, found} end
  return nil
end

local function settle(key, companion, ttl, token, rest)
  if ttl == '0' then
    redis.call('UNLINK', key, companion)
  elseif token == '' then
    redis.call('UNLINK', companion)
  else
    local said = mark(key, redis.call('STRLEN', key)) .. token .. rest
    if ttl == '' then
      redis.call('SET', companion, said)
    else
      redis.call('SET', companion, said, 'PX', ttl)
    end
  end
  return {1}
end
"""


class Script:
    """A script, which the server knows by its digest once it has seen it.

    Args:
        body: Its text, after what all scripts share.
    """

    known: Final[dict[bytes, Script]] = {}

    def __init__(self, body: str) -> None:
        self.text = (_COMMON + body).encode()
        self.digest = hashlib.sha1(self.text).hexdigest().encode()
        self.known[self.digest] = self

    def __call__(self, keys: Sequence[bytes], *arguments: Argument) -> Command:
        """The command that runs it."""
        return (b"EVALSHA", self.digest, len(keys), *keys, *arguments)


def in_full(command: Command) -> Command:
    """The same for a server that does not know the script."""
    assert isinstance(command[1], bytes)
    return (b"EVAL", Script.known[command[1]].text, *command[2:])


READ = Script("""
-- start, end or '', at most so many bytes, if_match, if_none_match
local found = look(KEYS[1], KEYS[2])
if not found then return false end
local etag = '=' .. found[2]
if (ARGV[4] ~= '' and ARGV[4] ~= etag) or ARGV[5] == etag then return found end
local size, start, stop = found[1], tonumber(ARGV[1]), found[1]
if start < 0 then start = math.max(0, size + start) end
if ARGV[2] ~= '' then stop = math.min(size, tonumber(ARGV[2])) end
stop = math.min(stop, start + tonumber(ARGV[3]))
found[4] = stop > start and redis.call('GETRANGE', KEYS[1], start, stop - 1) or ''
return found
""")
"""False, or length, etag, attributes, and the bytes if the conditions hold."""

LOOK = Script("""
local found = {}
for i = 1, #KEYS, 2 do
  local is_string = redis.call('TYPE', KEYS[i]).ok == 'string'
  found[#found + 1] = is_string and look(KEYS[i], KEYS[i + 1]) or false
end
return found
""")
"""Of each key false, or length, etag and attributes."""

PUT = Script("""
-- data, if_absent, if_match, lifetime, token, attributes
local no = refusal(KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[5])
if no then return no end
if ARGV[4] == '' or ARGV[4] == '0' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
end
return settle(KEYS[1], KEYS[2], ARGV[4], ARGV[5], ARGV[6])
""")
"""1 when it is done; 0 and what was found where a condition does not hold."""

PUBLISH = Script("""
-- its length, if_absent, if_match, lifetime, token, attributes; KEYS[3] has the content
if redis.call('STRLEN', KEYS[3]) ~= tonumber(ARGV[1]) then
  local found = look(KEYS[1], KEYS[2])
  return {found and found[2] == ARGV[5] and 1 or -1}
end
local no = refusal(KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[5])
if no then
  redis.call('UNLINK', KEYS[3])
  return no
end
redis.call('UNLINK', KEYS[1])
redis.call('RENAME', KEYS[3], KEYS[1])
if ARGV[4] == '' then
  redis.call('PERSIST', KEYS[1])
elseif ARGV[4] ~= '0' then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return settle(KEYS[1], KEYS[2], ARGV[4], ARGV[5], ARGV[6])
""")
"""As `PUT`; -1 where the content is not all there."""

DELETE = Script("""
-- if_match
local no = refusal(KEYS[1], KEYS[2], '', ARGV[1], '')
if no then return no end
local gone = redis.call('UNLINK', KEYS[1])
redis.call('UNLINK', KEYS[2])
return {gone}
""")
"""1 when it is done; 0 and what was found where the condition does not hold; 0 for no object."""

COPY = Script("""
-- if_absent, whether it is a move; source and its companion, target and its companion
local found = look(KEYS[1], KEYS[2])
if not found then return {-1} end
if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[3]) == 1 then return {0} end
if KEYS[1] == KEYS[3] then return {1, found} end
for i = 1, 2 do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('UNLINK', KEYS[i + 2])
  elseif ARGV[2] == '' then
    redis.call('COPY', KEYS[i], KEYS[i + 2], 'REPLACE')
  else
    redis.call('UNLINK', KEYS[i + 2])
    redis.call('RENAME', KEYS[i], KEYS[i + 2])
  end
end
return {1, found}
""")
"""1 and what was copied; 0 where there is an object; -1 where there is no source."""
