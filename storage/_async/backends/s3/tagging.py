"""The tags of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ...._core.errors import MalformedResponse
from .requests import Requests


def header(tags: Mapping[str, str]) -> str:
    """Tags as a header carries them."""
    return urlencode(tags, quote_via=quote, safe="")


async def read(send: Requests, full_key: str) -> dict[str, str]:
    """An object's tags."""
    answer: Any = await send("get_object_tagging", Key=full_key)
    try:
        return {each["Key"]: each["Value"] for each in answer["TagSet"]}
    except KeyError as error:
        raise MalformedResponse("the server's answer does not tell the tags") from error


async def write(send: Requests, full_key: str, tags: Mapping[str, str]) -> None:
    """Give an object these tags and no others."""
    if not tags:
        await send("delete_object_tagging", Key=full_key)
        return
    pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
    await send("put_object_tagging", Key=full_key, Tagging={"TagSet": pairs})
