"""URLs: typed options, and no secret that shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import open_async_store
from storage._core.errors import ConfigError
from storage._core.text import Secret
from storage._core.urls import StoreURL


def test_parts_are_unquoted() -> None:
    url = StoreURL.parse("s3://us%40er:p%2Fw@bucket/a%20b/c%23?region=eu")
    assert (url.scheme, url.host, url.path, url.user) == ("s3", "bucket", "/a b/c#", "us@er")
    assert url.password is not None
    assert url.password.reveal() == "p/w"
    assert "p/w" not in f"{url!r} {url.password} {url.password!r}"
    assert Secret(url.password).reveal() == "p/w"


@pytest.mark.parametrize(
    "text", ["no url", "memory://#fragment", "memory://?a=1&a=2"], ids=lambda text: text
)
def test_what_is_no_store_url_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        StoreURL.parse(text)


def test_options_are_typed() -> None:
    url = StoreURL.parse("x://?a=1&b=yes&c=0.5&d=text&e=false")
    assert url.option("a", int) == 1
    assert url.option("b", bool) is True
    assert url.option("c", float) == 0.5
    assert url.option("d", str) == "text"
    assert url.option("e", bool) is False
    assert url.option("f", int, 7) == 7
    url.finish()


@pytest.mark.parametrize(("text", "kind"), [("a=x", int), ("a=maybe", bool), ("a=", float)])
def test_a_value_of_another_type_is_refused(text: str, kind: type) -> None:
    with pytest.raises(ConfigError, match="option 'a'"):
        StoreURL.parse(f"x://?{text}").option("a", kind)


def test_an_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no option 'tiemout'; known: .*timeout"):
        open_async_store("memory://?tiemout=3")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'ftq'; known: .*memory"):
        open_async_store("ftq://x")


def test_a_url_without_its_slashes_is_no_directory() -> None:
    with pytest.raises(ConfigError, match=r"two slashes: sqlite://x\.sqlite"):
        open_async_store("sqlite:x.sqlite")


def test_paths_mean_files(tmp_path: Path) -> None:
    pytest.importorskip("storage.aiofs")
    for form in (tmp_path, str(tmp_path), f"file://{tmp_path}"):
        assert str(tmp_path) in repr(open_async_store(form))
