"""A web service over a store, as the README shows it: ``uvicorn example:app``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route

from storage.aiofs import AsyncFilesystemStore
from storage.asgi import ObjectResponse, StoreApp

store = AsyncFilesystemStore("files")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with store:
        yield


async def report(request: Request) -> ObjectResponse:
    number = request.path_params["number"]
    return ObjectResponse(store, f"reports/{number:04}.pdf", attachment=True)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/report/{number:int}", report),
        Mount("/files", StoreApp(store, writable=True, browse=True, max_upload=100 * 1024**2)),
    ],
)
