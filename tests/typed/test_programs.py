"""Programs of the first pages, after a change of their imports; and paths."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from storage._core.codecs.coding import DecompressionLimit, Limits
from storage._typed import archives
from storage.typed import (
    AutoPath,
    AutoStore,
    LocalFileBackend,
    StorageConfig,
    StorageError,
    StorageFileNotFoundError,
    StorePath,
    config,
    find_dotenv,
    hash_obj,
    load_dotenv,
    setup_logging,
)
from tests.typed.test_streams import LogHandler


def test_the_first_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars")
    monkeypatch.chdir(tmp_path)
    frame = polars.DataFrame({"a": [1, 2, 3]})

    store = AutoStore("./data")
    store["my_dataframe"] = frame
    store["config"] = {"key": "value"}
    store["logs"] = [{"event": "start"}]

    read = store["my_dataframe"]
    rows = read.collect() if hasattr(read, "collect") else read
    assert rows.equals(frame)
    assert store["config"] == {"key": "value"}
    assert store["logs"] == [{"event": "start"}]
    assert (tmp_path / "data" / "my_dataframe.parquet").exists()
    assert (tmp_path / "data" / "config.json").exists()
    assert len(list(store.keys())) == 3


def test_the_program_with_files(tmp_path: Path) -> None:
    store = AutoStore(tmp_path / "data")
    for key in ("config", "large_dataset", "original", "temp_file", "old_data"):
        store[key] = {"name": key}
    assert "config" in store
    metadata = store.get_metadata("large_dataset")
    assert metadata.size == len(b'{"name":"large_dataset"}')
    assert metadata.modified_time is not None
    assert metadata.modified_time.tzinfo is not None
    store.copy("original", "backup")
    store.move("temp_file", "permanent_file")
    del store["old_data"]
    names = ("backup", "config", "large_dataset", "original", "permanent_file")
    assert sorted(store.keys()) == [f"{name}.json" for name in names]
    assert store.find_file_fuzzy("backup") == "backup.json"
    assert [key for key in store.keys("con")] == ["config.json"]  # noqa: C416


def test_the_program_with_a_handler(tmp_path: Path) -> None:
    store = AutoStore(tmp_path)
    store.register_handler(LogHandler())
    entries = [{"timestamp": 1, "event": "start"}, {"timestamp": 2, "event": "end"}]
    store["app"] = entries
    assert (tmp_path / "app.log").read_text().count("\n") == 2
    assert store["app"] == store["app.log"] == entries
    store.unregister_handler(LogHandler)
    assert "app" not in store


def test_the_program_with_a_context(tmp_path: Path) -> None:
    AutoStore.register_backend("file", LocalFileBackend)
    try:
        with AutoStore(f"file://{tmp_path}", config=StorageConfig(timeout=10)) as store:
            store["data"] = list(range(1000))
            results = store["data"]
        assert results == list(range(1000))
    finally:
        AutoStore.unregister_backend("file")


def test_errors_have_their_old_names(tmp_path: Path) -> None:
    store = AutoStore(tmp_path)
    with pytest.raises(StorageError):
        store["nothing"]
    with pytest.raises(StorageFileNotFoundError):
        store.get_metadata("nothing")
    with pytest.raises(StorageError):
        store["../escape"] = {}
    assert not (tmp_path.parent / "escape.json").exists()


# -- paths ----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> AutoStore:
    return AutoStore(tmp_path / "data")


def test_paths_are_keys(store: AutoStore) -> None:
    path = store / "models" / "v1"
    path["weights"] = [1, 2]
    assert "weights" in path
    assert path["weights"] == [1, 2]
    assert store["models/v1/weights"] == [1, 2]
    assert path.exists()
    assert path.exists("weights")
    assert not path.exists("nothing")
    assert list(path.list_files()) == ["weights.json"]
    assert path.get_metadata("weights").size == 5
    assert str(path) == path.path == os.fspath(path) == "models/v1"
    assert repr(path) == "StorePath('models/v1')"
    del path["weights"]
    assert not path.exists()


def test_the_words_of_paths(store: AutoStore) -> None:
    path = store / "a/b" / "c.tar.gz"
    assert (path.name, path.stem, path.suffix) == ("c.tar.gz", "c.tar", ".gz")
    assert path.suffixes == [".tar", ".gz"]
    assert path.parent == store / "a" / "b"
    assert [str(each) for each in path.parents] == ["a/b", "a", ""]
    assert str(path.with_name("d.txt")) == "a/b/d.txt"
    assert str(path.with_suffix(".bz2")) == "a/b/c.tar.bz2"
    assert str(path.with_stem("x")) == "a/b/x.gz"
    assert path.relative_to("a") == "b/c.tar.gz"
    assert path.match("*.gz")
    assert path.joinpath("d", "e").as_posix() == "a/b/c.tar.gz/d/e"
    assert path.resolve() is path
    assert path.as_uri().endswith("/data/a/b/c.tar.gz")
    assert not path.is_absolute()
    assert len({path, store / "a/b/c.tar.gz", store / "a"}) == 2
    url = StorePath(store, "s3://bucket/a/b.json")
    assert url.is_absolute()
    assert str(url.parent / "c.json") == "s3://bucket/a/c.json"
    with pytest.raises(ValueError, match="not below"):
        url.relative_to("a")


def test_paths_as_files(store: AutoStore, tmp_path: Path) -> None:
    path = store / "notes" / "a.txt"
    path.write_text("grün")
    assert path.read_bytes() == "grün".encode()
    assert path.read_text() == path.load() == "grün"
    assert path.is_file()
    assert not path.is_dir()
    assert path.parent.is_dir()
    assert path.stat().size == 5
    assert path.download_to(tmp_path / "out" / "a.txt").read_text() == "grün"
    (tmp_path / "in.json").write_text('{"a": 1}')
    (store / "notes" / "b.json").upload_from(tmp_path / "in.json")
    assert (store / "notes" / "b").load() == {"a": 1}
    (store / "notes" / "c").save([1], format="yaml")
    assert sorted(map(str, path.parent.iterdir())) == [
        "notes/a.txt",
        "notes/b.json",
        "notes/c.yaml",
    ]
    assert [str(each) for each in (store / "notes").glob("*.json")] == ["notes/b.json"]
    with pytest.raises(OSError, match="below"):
        path.parent.rmdir()
    path.parent.mkdir()
    path.unlink()
    path.unlink(missing_ok=True)
    with pytest.raises(KeyError):
        path.unlink()


def test_a_path_takes_what_is_written(store: AutoStore) -> None:
    with store / "a.bin" as path:
        assert path.write(b"12") == 2
        path.write(b"34")
        path.flush()
        assert not path.exists()
    assert path.load() == b"1234"
    with pytest.raises(LookupError), path:
        path.write(b"56")
        raise LookupError
    assert path.load() == b"1234"
    assert (path.readable(), path.writable(), path.seekable()) == (False, True, False)


def test_paths_of_two_stores(store: AutoStore, tmp_path: Path) -> None:
    other = AutoStore("memory://")
    (store / "a").save({"a": 1})
    assert str((store / "a").copy_to("deep/er/b")) == "deep/er/b.json"
    assert str((store / "a").copy_to(other / "c")) == "c.json"
    moved = (store / "deep/er/b").move_to(other / "x" / "y")
    assert str(moved) == "x/y.json"
    assert other["c"] == other["x/y"] == {"a": 1}
    assert sorted(store) == ["a.json"]
    (store / "z").upload_from(other / "c")
    assert store["z"] == {"a": 1}
    # What a path of one store does is never done to a file of that name.
    (tmp_path / "c.json").write_text("mine")
    (other / "c.json").unlink()
    assert (tmp_path / "c.json").read_text() == "mine"
    with pytest.raises(KeyError):
        (store / "nothing").copy_to(other / "n")


def test_several_values_in_one_archive(store: AutoStore) -> None:
    path = store / "mixed"
    path.savez({"a": 1}, text="words", raw=b"\x00\x01")
    assert (store / "mixed.zip").is_file()
    assert path.loadz() == {"arr_0": {"a": 1}, "text": "words", "raw": b"\x00\x01"}


def test_an_archive_of_somebody_else_writes_nothing_outside(
    store: AutoStore, tmp_path: Path
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../../evil.json", "{}")
        archive.writestr("evil.pkl", b"cos\nsystem\n(S'true'\ntR.")
    (store / "bad.zip").upload_from(tmp_path / "bad.zip")
    with pytest.raises(StorageError):
        (store / "bad.zip").loadz()
    assert not list(tmp_path.parent.glob("evil*"))


def test_an_archive_is_no_bomb(store: AutoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "WHOLE", Limits(max_ratio=100, free=10_000))
    (store / "fair").savez("x" * 9_000)
    (store / "bomb").savez("x" * 900_000)
    assert len((store / "fair").loadz()["arr_0"]) == 9_000
    with pytest.raises(DecompressionLimit):
        (store / "bomb").loadz()


def test_a_path_without_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    AutoPath("here/a").save({"a": 1})
    assert (tmp_path / "here" / "a.json").exists()
    assert AutoPath(tmp_path / "here" / "a").load() == {"a": 1}
    assert Path(AutoPath(tmp_path) / "here" / "a.json").read_text() == '{"a":1}'
    assert AutoPath(f"file://{tmp_path}/here/a.json").load() == {"a": 1}
    memory = AutoStore("memory://")
    AutoPath("x", memory).save(1)
    assert memory["x"] == 1


# -- helpers --------------------------------------------------------------------------------------


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_dotenv("no-such-file.env") == ""
    with pytest.raises(OSError, match="no-such-file"):
        find_dotenv("no-such-file.env", raise_error_if_not_found=True)
    (tmp_path / ".env").write_text(
        "# comment\nexport TYPED_A=1 # one\nTYPED_B='x # y'\nTYPED_C=\"a\\nb\"\nTYPED_D=true\n"
    )
    for name in "ABCD":
        monkeypatch.setenv(f"TYPED_{name}", "before")
    load_dotenv(override=False)
    assert config("TYPED_A") == "before"
    load_dotenv()
    assert config("TYPED_A", cast=int) == 1
    assert config("TYPED_B") == "x # y"
    assert config("TYPED_C") == "a\nb"
    assert config("TYPED_D", cast=bool) is True
    assert config("TYPED_NONE", default="3", cast=int) == 3
    assert config("TYPED_NONE") is None
    with pytest.raises(ValueError, match="TYPED_B"):
        config("TYPED_B", cast=int)


def test_hashes() -> None:
    each: list[Any] = ["a", b"b", ["a", "b"], {"a": 1}, {"a": 2}]
    assert len({hash_obj(value) for value in each}) == 5
    assert hash_obj("a") != hash_obj("a", seed=1)
    assert hash_obj({"a": 1, "b": 2}) == hash_obj({"b": 2, "a": 1})
    with pytest.raises(TypeError):
        hash_obj(object())


def test_logging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    setup_logging("debug", str(tmp_path / "logs" / "a.log"), disable_stdout=True)
    logging.getLogger("typed").debug("written")
    for handler in root.handlers:
        handler.close()
    assert "DEBUG|typed|written" in (tmp_path / "logs" / "a.log").read_text()
