"""Who sends requests, read from a client of aiobotocore.

What a client is made of is not all public. So all that is read here is looked at closely first,
and a client that is in any way other than known is left to send its requests itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from .. import endpoints
from .credentials import Borrowed, Credentials, Fixed
from .identity import Identity, Trust, address
from .operations import OPERATIONS

_EVENTS = (
    "provide-client-params", "before-parameter-build", "before-call", "before-endpoint-resolution",
    "choose-signer", "before-sign", "request-created", "before-send", "response-received",
    "before-parse", "after-call", "after-call-error", "needs-retry",
)  # fmt: skip
_THEIRS = ("aiobotocore.", "botocore.")
_STRANGE = {"botocore.stub"}
_SETTINGS = {
    "addressing_style", "disable_multiregion_access_points", "disable_s3_express_session_auth",
    "payload_signing_enabled", "us_east_1_regional_endpoint", "use_arn_region",
}  # fmt: skip
"""Those for S3 that are understood here, or mean nothing for a plain bucket."""
_UNKNOWN = (
    "auth_scheme_preference", "client_context_params", "proxies", "proxies_config",
    "sigv4a_signing_region_set", "use_dualstack_endpoint", "use_fips_endpoint",
)  # fmt: skip
"""Configuration that only the client understands."""


def of_client(client: Any, bucket: str) -> Identity | None:
    """Who sends a client's requests on a bucket; None where only the client knows.

    Args:
        client: Any object with a client's methods.
        bucket: The bucket's name.
    """
    try:
        return _identity(client, bucket) if _is_plain(client) and is_unhooked(client) else None
    except (AttributeError, KeyError, TypeError, ValueError):  # of another version than is known
        return None


def watched(client: Any) -> Callable[[], bool]:
    """What tells whether a client's event hooks are still those that were looked at.

    Args:
        client: One that `of_client` understands.
    """
    emitter = client.meta.events._emitter
    # Each registration replaces it.
    seen = emitter._lookup_cache
    return lambda: emitter._lookup_cache is seen


def is_unhooked(client: Any) -> bool:
    """Whether nobody but botocore listens to what a client does in S3."""
    search = client.meta.events._emitter._handlers.prefix_search
    names = {_event_name(operation) for operation in OPERATIONS}
    return all(
        _is_theirs(handler)
        for event in _EVENTS
        for name in names
        for handler in search(f"{event}.s3.{name}")
    )


def _event_name(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))


def _is_theirs(handler: Any) -> bool:
    handler = getattr(handler, "func", handler)
    module = getattr(handler, "__module__", None) or type(handler).__module__
    name = getattr(handler, "__name__", "")
    return module.startswith(_THEIRS) and module not in _STRANGE and name != "disable_signing"


def _is_plain(client: Any) -> bool:
    """Whether it is a client as aiobotocore makes them, with no method replaced."""
    kind = type(client)
    if kind.__module__ != "aiobotocore.client" or kind.__name__ != "S3":
        return False
    if vars(client).keys() & (OPERATIONS.keys() | {"_make_api_call", "_make_request"}):
        return False
    bases = kind.__mro__
    methods: Iterable[Any] = (
        next(vars(base)[name] for base in bases if name in vars(base))
        for name in (*OPERATIONS, "_make_api_call", "_make_request")
    )
    return all(type(method) is FunctionType and _is_theirs(method) for method in methods)


def _identity(client: Any, bucket: str) -> Identity | None:
    config, region = client.meta.config, client.meta.region_name
    settings = config.s3 or {}
    if not _is_understood(config, client._endpoint.http_session, settings):
        return None
    given = endpoints.custom(client)
    url, style = given or client.meta.endpoint_url, settings.get("addressing_style")
    found = address(url, bucket, style, given=given is not None)
    credentials = _credentials(client, config.signature_version)
    if found is None or credentials is None or not region or region == "aws-global":
        return None
    return Identity(
        credentials,
        region,
        **found._asdict(),
        trust=Trust(client._endpoint.http_session._verify, config.client_cert),
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        limit=config.max_pool_connections,
        attempts=_attempts(config.retries or {}),
        checked=config.response_checksum_validation != "when_required",
        signs_bodies=bool(settings.get("payload_signing_enabled")) or not found.is_safe,
    )


def _is_understood(config: Any, session: Any, settings: dict[str, Any]) -> bool:
    unknown = {name for name, value in settings.items() if value} - _SETTINGS
    usual = type(session).__module__ == "aiobotocore.httpsession"
    return (
        not unknown
        and usual
        and not session._proxy_config._proxies
        and session._connector_args.keys() <= {"keepalive_timeout"}
        and not any(getattr(config, name, None) for name in _UNKNOWN)
    )


def _credentials(client: Any, version: Any) -> Credentials | None:
    if type(version).__name__ == "UNSIGNED" or getattr(version, "name", "") == "UNSIGNED":
        return Fixed(None)
    lender = client._request_signer._credentials
    return Borrowed(lender) if lender is not None and version in ("s3v4", "v4") else None


def _attempts(retries: dict[str, Any]) -> int:
    if "total_max_attempts" in retries:
        return int(retries["total_max_attempts"])
    if "max_attempts" in retries:
        return int(retries["max_attempts"]) + 1
    return 3 if retries.get("mode") in ("standard", "adaptive") else 5
