"""Who sends requests, read from the arguments of ``connect`` and the environment alone.

Where these say all, the client is never made, nor aiobotocore imported, which takes 0.25 s.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ....._core.text import Secret
from .. import endpoints
from .credentials import Credentials, Environment, Fixed, of_environment
from .identity import Identity, Trust, address
from .sign import Keys

_OPTIONS = {
    "anonymous", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "config",
    "endpoint_url", "region_name", "verify",
}  # fmt: skip
_VARIABLES = {
    "AWS_ACCESS_KEY_ID", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_PAGER", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE",
}  # fmt: skip
"""Those of Amazon's that are understood here, or mean nothing for S3."""


def of_options(options: Mapping[str, Any], profile: str | None, bucket: str) -> Identity | None:
    """Who sends requests on a bucket; None where only the client knows.

    Args:
        options: The arguments of aiobotocore's ``create_client``.
        profile: Of the configuration files.
        bucket: The bucket's name.
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = given.get("config", {})
    if profile is not None or not given.keys() <= _OPTIONS or not isinstance(settings, Mapping):
        return None
    if not _environment_is_plain() or not _settings_are_plain(settings):
        return None
    credentials = Fixed(None) if given.get("anonymous") else _credentials(given)
    url = given.get("endpoint_url") or endpoints.of_environment()
    region = given.get("region_name") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None and url is not None:
        region = "us-east-1"
    if credentials is None or region is None:
        return None
    server = url or _amazon(region)
    if server is None:
        return None
    found = address(server, bucket, settings.get("addressing_style"), given=url is not None)
    if found is None or _has_proxy(found.secure, found.name):
        return None
    return Identity(
        credentials, region, **found._asdict(), trust=_trust(given), signs_bodies=not found.is_safe
    )


def _environment_is_plain() -> bool:
    unknown = {name for name in os.environ if name.startswith("AWS_")} - _VARIABLES
    if any(not name.startswith(("AWS_LAMBDA_", "AWS_XRAY_")) for name in unknown):
        return False
    path = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        return os.stat(os.path.expanduser(os.path.expandvars(path))).st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _settings_are_plain(settings: Mapping[str, Any]) -> bool:
    return settings.keys() <= {"addressing_style"}


def _credentials(given: Mapping[str, Any]) -> Credentials | None:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    keys = [_revealed(given.get(name)) for name in names]
    if keys[0] and keys[1]:
        return Fixed(Keys(keys[0], keys[1], keys[2]))
    # Half of the credentials is a mistake, which the client tells.
    return Environment() if not any(keys) and of_environment() else None


def _revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _amazon(region: str) -> str | None:
    """The server of a region, where its name is sure to be the usual one."""
    if region.startswith(("us-gov-", "us-iso", "eu-isoe-", "eusc-", "cn-")) or "-" not in region:
        return None
    known = region.replace("-", "").isalnum() and region.isascii() and region != "aws-global"
    return f"https://s3.{region}.amazonaws.com" if known else None


def _trust(given: Mapping[str, Any]) -> Trust:
    verify = given.get("verify")
    if verify is None:
        verify = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    return Trust(verify)


def _has_proxy(secure: bool, name: str) -> bool:
    if not any(variable.lower().endswith("_proxy") for variable in os.environ):
        return False
    from urllib import request

    proxies = request.getproxies_environment()
    wanted = "https" if secure else "http"
    return bool(proxies.get(wanted) or proxies.get("all")) and not request.proxy_bypass(name)
