"""All stores of `stores.MEDIA`, async and blocking, by the same checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

from storage.testing import StoreConformance
from storage.testing.asasync import in_thread
from tests.conformance.stores import MEDIA, Corner, Medium, Served, corner, files_under
from tests.services.plugin import NewBucket
from tests.services.process import FileService, S3Service

Place: TypeAlias = Path | Corner | Served


class MediumConformance(StoreConformance):
    """Puts one medium to the kit."""

    medium: ClassVar[Medium]
    blocking: ClassVar[bool]
    on_disk: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _bucket(self, request: pytest.FixtureRequest) -> None:
        self._places: dict[int, Any] = {}
        self._stores: list[Any] = []
        if self.medium.service:
            self._service = request.getfixturevalue(self.medium.service)
            self._shared = ""
            if isinstance(self._service, S3Service):
                shared: NewBucket = request.getfixturevalue("shared_bucket")
                self._shared = shared(self._service)

    def _place(self) -> Place:
        path = self.tmp_path / f"store{len(self._stores)}" / "objects"
        if not self.medium.service:
            return path
        if isinstance(self._service, FileService):
            return Served(self._service, path)
        return corner(self._service, self._shared)

    def _at(self, place: Place, *, timeout: float | None = None) -> Any:
        store = self.medium.make(self.medium.load(self.blocking), place)
        if timeout is not None:
            getattr(store, "_async", store)._timeout = timeout
        self._places[id(store)] = place
        self._stores.append(store)  # kept, so that no other store gets its id
        return store

    async def make_store(self) -> Any:
        """A store at a new place; it exists, because something was put there and removed."""
        place = self._place()
        if isinstance(place, Served):
            await in_thread(partial(place.path.mkdir, parents=True))
        elif self.medium.begins_missing:
            async with self.opened(lambda: self._at(place)) as store:
                await store.put("first", b"")
                await store.delete("first")
        return self._at(place)

    async def reopen(self, store: Any) -> Any:
        if not self.medium.persists:
            pytest.skip("the objects live in the store")
        return self._at(self._places[id(store)])

    async def hurried(self, store: Any, timeout: float) -> Any:
        if not self.medium.persists:
            pytest.skip("the objects live in the store")
        return self._at(self._places[id(store)], timeout=timeout)

    async def missing_store(self) -> Any:
        if not self.medium.persists:
            pytest.skip("there is always a store")
        place = self._place()
        if isinstance(place, Corner):
            place = replace(place, bucket="no-such-bucket-anywhere")
        return self._at(place)

    async def litter(self, store: Any) -> Iterable[str]:
        keys = [key async for key in self.presented(store).keys()]
        place = self._places[id(store)]
        return await in_thread(lambda: list(self.medium.litter(place, keys)))  # type: ignore[no-any-return]

    async def outside(self, store: Any) -> Iterable[str]:
        place = self._places[id(store)]
        if isinstance(place, Corner):
            return ()
        place = place.path if isinstance(place, Served) else place
        inside = place.relative_to(self.tmp_path).parts[0]
        found: list[str] = await in_thread(files_under, self.tmp_path)
        return [path for path in found if Path(path).parts[0] != inside]


def _make(name: str, medium: Medium, blocking: bool) -> type[MediumConformance]:
    title = f"Test{name.title().replace('_', '')}{'Blocking' if blocking else ''}"
    checks = [check for check in dir(MediumConformance) if check.startswith(medium.spared)]
    members = {
        **dict.fromkeys(checks),
        "__module__": __name__,
        "medium": medium,
        "blocking": blocking,
        "capabilities": medium.capabilities,
        **medium.hints_for(blocking),
    }
    return type(title, (MediumConformance,), members)


for _name, _medium in MEDIA.items():
    if _medium.is_there():
        for _blocking in (False, True) if _medium.twin else (False,):
            _class = _make(_name, _medium, _blocking)
            globals()[_class.__name__] = _class
