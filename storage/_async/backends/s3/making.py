"""How a client of our own is made. Everything here needs aiobotocore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from functools import cache
from typing import Any

from ...._core import calls
from ...._core.errors import ConfigError, MissingExtra, StoreError
from ...._core.text import Secret
from . import endpoints
from .defaults import ATTEMPTS, CONNECT_TIMEOUT, POOL, READ_TIMEOUT

try:
    from aiobotocore.config import AioConfig
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.session import AioSession
    from botocore import UNSIGNED
    from botocore.exceptions import BotoCoreError
    from botocore.utils import parse_timestamp
except ImportError as error:
    raise MissingExtra.named("aiobotocore", "s3") from error


def _defaults() -> Any:
    return AioConfig(
        # Presigned URLs are bounded in time only under this one.
        signature_version="s3v4",
        max_pool_connections=POOL,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # Uploads carry their checksum in a header, from us. As a trailer it costs a connection.
        request_checksum_calculation="when_required",
        tcp_keepalive=True,
    )


def connected(options: Mapping[str, Any], profile: str | None) -> AbstractAsyncContextManager[Any]:
    """A client from the arguments of aiobotocore's ``create_client``."""
    config = _defaults()
    if options.get("config") is not None:
        config = config.merge(_config(options["config"]))
    if options.get("anonymous"):
        config = config.merge(AioConfig(signature_version=UNSIGNED))
    plain = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in options.items()
        if name != "anonymous"
    }
    return _opened(AioSession(profile=profile), {**plain, "config": config})


def _config(told: Any) -> Any:
    """What a URL says is told in plain words, so that it needs no aiobotocore to be read."""
    if not isinstance(told, Mapping):
        return told
    words: dict[str, Any] = {}
    if "addressing_style" in told:
        words["s3"] = {"addressing_style": told["addressing_style"]}
    return AioConfig(**words)


def derived(client: Any) -> AbstractAsyncContextManager[Any]:
    """A client that talks to the same server, in the same way, as another of any kind."""
    theirs = client.meta.config
    config = AioConfig(
        max_pool_connections=max(POOL, theirs.max_pool_connections),
        s3=theirs.s3,
        **{
            name: value
            for name in _CARRIED_OVER
            if (value := getattr(theirs, name, None)) is not None
        },
    )
    session = AioSession()
    lent = client._request_signer._credentials
    if lent is not None:
        session.register_component("credential_provider", _Provider(_Borrowed(lent)))
    return _opened(
        session,
        {
            "region_name": client.meta.region_name,
            "endpoint_url": endpoints.custom(client),
            "verify": getattr(client._endpoint.http_session, "_verify", None),
            "config": config,
        },
    )


_CARRIED_OVER = (
    "client_cert", "connect_timeout", "connector_args", "http_session_cls", "proxies",
    "proxies_config", "read_timeout", "request_checksum_calculation",
    "response_checksum_validation", "retries", "signature_version", "tcp_keepalive",
    "use_dualstack_endpoint", "use_fips_endpoint", "user_agent_extra",
)  # fmt: skip


@asynccontextmanager
async def _opened(session: Any, arguments: dict[str, Any]) -> AsyncIterator[Any]:
    try:
        await calls.call(_read_ahead, session, arguments)
        manager = session.create_client("s3", **arguments)
        client = await manager.__aenter__()
    except (BotoCoreError, ValueError, TypeError) as error:
        if isinstance(error, StoreError):
            raise
        raise ConfigError(f"no S3 client can be made: {error}") from error
    try:
        yield client
    finally:
        await manager.__aexit__(None, None, None)


def _read_ahead(session: Any, arguments: Mapping[str, Any]) -> None:
    """Make a client and throw it away, for all that a client reads from files then is read."""
    session.register_component("data_loader", _models())
    parsers = session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_moment)

    async def make() -> None:
        async with session.create_client("s3", **arguments):
            pass

    # Without a loop: as a rule nothing in it waits. Where credentials come over the network, or
    # anything is wrong, it is the client's own making that finds out.
    with suppress(Exception):
        calls.drive(make())
        if session._credentials is None:
            session.register_component("credential_provider", _Provider(None))


@cache
def _models() -> Any:
    # Shared by all sessions: to read the model of S3 takes 0.15 s.
    return AioSession().get_component("data_loader")


def _moment(text: Any) -> Any:
    """A time of an answer: half the cost of reading a listing is botocore's way to read these."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return parse_timestamp(text)


class _Provider:
    """The part of a session that finds credentials."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    async def load_credentials(self) -> Any:
        return self._credentials


class _Borrowed(AioCredentials):  # type: ignore[misc]
    """The credentials of another client, asked for at each signature, so that they refresh."""

    def __init__(self, lender: Any) -> None:
        self._lender = lender
        self.method = getattr(lender, "method", None)

    async def get_frozen_credentials(self) -> Any:
        lender = self._lender
        if asyncio.iscoroutinefunction(lender.get_frozen_credentials):
            return await lender.get_frozen_credentials()
        needed = getattr(lender, "refresh_needed", None)
        if needed is not None and needed():
            return await calls.call_user(lender.get_frozen_credentials)
        return lender.get_frozen_credentials()

    async def get_account_id(self) -> Any:
        return (await self.get_frozen_credentials()).account_id

    # What only looks at a session's credentials reads these.
    access_key = property(lambda self: None)
    secret_key = property(lambda self: None)
    token = property(lambda self: None)
