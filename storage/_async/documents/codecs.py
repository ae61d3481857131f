"""How a collection of documents becomes the bytes of one object, and back."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from ..._core.errors import ConfigError, CorruptStore, StoreError

Documents: TypeAlias = dict[str, dict[str, bytes]]
"""Values by key, by the text of their document's UID."""


class Codec(NamedTuple):
    """A form of whole collections."""

    name: str
    dump: Callable[[Documents], bytes]
    load: Callable[[bytes], Mapping[str, Mapping[str, bytes]]]


_codecs: dict[str, Codec] = {}


def register_codec(
    name: str,
    dump: Callable[[Documents], bytes],
    load: Callable[[bytes], Mapping[str, Mapping[str, bytes]]],
) -> None:
    """Add a form of collections, for ``name:///path`` and ``store+name://...``.

    Args:
        name: Lower-case letters and digits; one that is there already is replaced.
        dump: Gives the bytes of a collection: a dict of dicts of bytes, by UID and key. It is
            called in a worker thread, and so is `load`.
        load: The way back; an error of any kind means that these are no such bytes.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*", name):
        raise ConfigError(f"a codec's name is lower-case letters and digits, not {name!r}")
    _codecs[name] = Codec(name, dump, load)


def is_codec(name: str) -> bool:
    """Whether there is one of this name."""
    return name in _codecs


def codec_named(name: str) -> Codec:
    """The codec of a name.

    Raises:
        ConfigError: There is none.
    """
    if name not in _codecs:
        raise ConfigError(f"no codec is called {name!r}; known: {', '.join(sorted(_codecs))}")
    return _codecs[name]


def load(codec: Codec, data: bytes) -> Documents:
    """The collection that some bytes mean.

    Raises:
        CorruptStore: They are none, or hold something else than documents.
    """
    try:
        found = codec.load(data)
        return {uid: dict(document) for uid, document in _checked(found).items() if document}
    except StoreError:
        raise
    except Exception as error:
        raise CorruptStore(f"these are no documents in {codec.name}: {error}") from error


def _checked(found: Any) -> dict[str, dict[str, bytes]]:
    for uid, document in found.items():
        _check_text(uid)
        for key, value in document.items():
            _check_text(key)
            if not isinstance(value, bytes):
                raise TypeError(f"a value is bytes, not {type(value).__name__}")
    return found  # type: ignore[no-any-return]


def _check_text(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a UID or key is a text, not {type(name).__name__}")
    name.encode()  # what cannot be encoded could never be written again


def unique(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict of pairs, for codecs: of two of one name, one would be lost at the next sync.

    Raises:
        ValueError: There are two of one name.
    """
    found: dict[Any, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r:.80} is there twice")
        found[name] = value
    return found


# -- JSON -----------------------------------------------------------------------------------


def dump_json(documents: Documents) -> bytes:
    """``{uid: {key: value}}``. What is UTF-8 is a text, all else ``{"base64": "..."}``."""
    tree = {
        uid: {key: _shown(value) for key, value in document.items()}
        for uid, document in documents.items()
    }
    return json.dumps(tree, ensure_ascii=False, indent=1).encode()


def load_json(data: bytes) -> Documents:
    """The way back. Files of pyStorageBackend have the same shape, where a value of bytes is the
    text of a Python literal (``"b'...'"``); such a text is never written here.
    """
    tree = json.loads(data.decode(), object_pairs_hook=unique)
    return {
        uid: {key: _value(shown) for key, shown in document.items()}
        for uid, document in tree.items()
    }


def is_text(value: bytes) -> bool:
    """Whether a value is UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(value: bytes) -> str | dict[str, str]:
    if value.startswith((b"b'", b'b"')) or not is_text(value):
        return {"base64": base64.b64encode(value).decode()}
    return value.decode()


def _value(shown: Any) -> bytes:
    if isinstance(shown, dict) and set(shown) == {"base64"}:
        return base64.b64decode(shown["base64"], validate=True)
    if not isinstance(shown, str):
        raise TypeError(f"a value is a text or in base64, not a {type(shown).__name__}")
    if shown.startswith(("b'", 'b"')):
        try:
            found = ast.literal_eval(shown)
        except (ValueError, SyntaxError):
            return shown.encode()
        if isinstance(found, bytes) and repr(found) == shown:
            return found
    return shown.encode()


register_codec("json", dump_json, load_json)
