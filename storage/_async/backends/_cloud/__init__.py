"""Buckets and containers of cloud services: what the backends of several of them share."""

from ...._core.errors import MissingExtra

try:
    import aiohttp  # noqa: F401 - what else needs it names another extra
except ImportError as error:
    raise MissingExtra.named("aiohttp", "azure,gcs") from error
