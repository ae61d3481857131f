"""Codecs beside JSON; what takes a package imports it when it is used."""

from __future__ import annotations

import base64
from configparser import ConfigParser
from functools import cache
from io import StringIO
from typing import Any
from urllib.parse import quote, unquote

from ..._core.errors import MissingExtra
from .codecs import Documents, is_text, register_codec, unique

MARK = "base64:"
"""What values in INI begin with that are in base 64."""


def dump_yaml(documents: Documents) -> bytes:
    """What is UTF-8 is a text, all else ``!!binary``."""
    tree = {
        uid: {key: value.decode() if is_text(value) else value for key, value in document.items()}
        for uid, document in documents.items()
    }
    legible = all(map(_is_legible, tree.values()))
    text: str = _yaml().safe_dump(tree, allow_unicode=legible, sort_keys=False)
    return text.encode()


def _is_legible(document: dict[str, str | bytes]) -> bool:
    """Whether no text has anything that PyYAML would have to escape, and does not always."""
    texts = (each for item in document.items() for each in item if isinstance(each, str))
    return all(text.replace("\n", "").isprintable() for text in texts)


def load_yaml(data: bytes) -> Documents:
    """The way back, by the safe loader; numbers and the like have to be quoted."""
    tree = _yaml().load(data.decode(), _loader()) or {}
    return {
        uid: {key: _bytes(value) for key, value in document.items()}
        for uid, document in tree.items()
    }


@cache
def _loader() -> Any:
    """The safe loader, without aliases, by which a short file becomes a huge collection."""
    yaml = _yaml()

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined,misc]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("documents have no aliases (*name)")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            pairs = self.construct_pairs(node, deep=True)
            return unique(pairs)

    return Loader


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _yaml() -> Any:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtra.named("pyyaml", "yaml") from error
    return yaml


def _ini() -> ConfigParser:
    parser = ConfigParser(interpolation=None, delimiters=("=",), default_section="\0")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    return parser


def dump_ini(documents: Documents) -> bytes:
    """A section each, keys percent-encoded; what is no line of plain text is in base 64."""
    parser, out = _ini(), StringIO()
    for uid, document in documents.items():
        parser[uid] = {quote(key, safe=""): _line(value) for key, value in document.items()}
    parser.write(out)
    return out.getvalue().encode()


def load_ini(data: bytes) -> Documents:
    """The way back."""
    parser = _ini()
    parser.read_string(data.decode())
    return {
        uid: unique((unquote(key), _of_line(line)) for key, line in parser[uid].items())
        for uid in parser.sections()
    }


def _line(value: bytes) -> str:
    if is_text(value):
        text = value.decode()
        if text.isprintable() and text == text.strip() and not text.startswith(MARK):
            return text
    return MARK + base64.b64encode(value).decode()


def _of_line(line: str) -> bytes:
    if line.startswith(MARK):
        return base64.b64decode(line[len(MARK) :], validate=True)
    return line.encode()


def dump_msgpack(documents: Documents) -> bytes:
    """Maps of maps of binaries."""
    return _msgpack().encode(documents)  # type: ignore[no-any-return]


def load_msgpack(data: bytes) -> Documents:
    """The way back."""
    return _msgpack().decode(data, type=Documents)  # type: ignore[no-any-return]


def _msgpack() -> Any:
    try:
        from msgspec import msgpack
    except ModuleNotFoundError as error:
        raise MissingExtra.named("msgspec", "msgpack") from error
    return msgpack


register_codec("yaml", dump_yaml, load_yaml)
register_codec("ini", dump_ini, load_ini)
register_codec("msgpack", dump_msgpack, load_msgpack)
