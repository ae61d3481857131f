"""Signatures of the fast lane: Amazon's published examples, and botocore's own signer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage._async.backends.s3.lane.sign import EMPTY, UNSIGNED, Keys, Signer, encoded, query_of

EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = ("host", "examplebucket.s3.amazonaws.com")
MOMENT = datetime(2013, 5, 24, tzinfo=UTC)


def signed(*arguments: Any, moment: datetime = MOMENT, region: str = "us-east-1") -> dict[str, str]:
    """The headers that a request gets."""
    return by(Signer(region, clock=moment.timestamp), *arguments)


def by(
    signer: Signer, method: str, path: str, query: str, headers: Any, payload: str, keys: Keys
) -> dict[str, str]:
    """Those that a signer gives."""
    form = signer.form(tuple(headers), payload, keys)
    return {**dict(form.headers), "authorization": form.sign(method, path, query)}


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "payload", "names", "signature"),
    [
        pytest.param(
            "GET",
            "/test.txt",
            [],
            [HOST, ("range", "bytes=0-9")],
            EMPTY,
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            id="get an object",
        ),
        pytest.param(
            "PUT",
            "/test%24file.text",
            [],
            [
                HOST,
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            id="put an object",
        ),
        pytest.param(
            "GET",
            "/",
            [("lifecycle", "")],
            [HOST],
            EMPTY,
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            id="get a bucket's lifecycle",
        ),
        pytest.param(
            "GET",
            "/",
            [("prefix", "J"), ("max-keys", "2")],
            [HOST],
            EMPTY,
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            id="list objects",
        ),
    ],
)
def test_the_published_examples(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    payload: str,
    names: str,
    signature: str,
) -> None:
    found = signed(method, path, query_of(query), headers, payload, EXAMPLE)
    assert found["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
NAMES = st.from_regex(r"x-amz-meta-[a-z0-9._-]{1,12}", fullmatch=True)


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE"]),
    key=TEXT.filter(bool),
    query=st.dictionaries(TEXT.filter(bool), TEXT, max_size=4),
    headers=st.dictionaries(NAMES, PRINTABLE, max_size=4),
    token=st.none() | PRINTABLE.filter(str.strip),
    body=st.none() | st.binary(max_size=50),
    region=st.sampled_from(["us-east-1", "eu-west-3"]),
    age=st.integers(0, 4000),
)
def test_botocore_signs_the_same(
    method: str,
    key: str,
    query: dict[str, str],
    headers: dict[str, str],
    token: str | None,
    body: bytes | None,
    region: str,
    age: int,
) -> None:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    moment = MOMENT + timedelta(days=age, seconds=age)
    path, text = f"/bucket/{encoded(key, '/~')}", query_of(query.items())
    keys = Keys("AKIA", "secret", token)
    payload = UNSIGNED if body is None else hashlib.sha256(body).hexdigest()
    ours = signed(
        method, path, text, [("host", "localhost:9000"), *headers.items()], payload, keys,
        moment=moment, region=region,
    )  # fmt: skip

    url = f"http://localhost:9000{path}{'?' if text else ''}{text}"
    request = AWSRequest(method, url, dict(headers), body or b"")
    credentials = ReadOnlyCredentials(keys.access_key, keys.secret_key, token)
    signer = auth.S3SigV4Auth(credentials, "s3", region)
    with (
        mock.patch.object(auth, "get_current_datetime", return_value=moment),
        mock.patch.object(signer, "payload", return_value=payload),
    ):
        signer.add_auth(request)
    assert urlsplit(request.url).path == path
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]


def test_keys_are_renewed_with_the_day_and_the_secret() -> None:
    clock = mock.Mock()
    signer = Signer("us-east-1", clock=clock)
    found = []
    for moment in (MOMENT, MOMENT, MOMENT + timedelta(days=1)):
        clock.return_value = moment.timestamp()
        for keys in (EXAMPLE, EXAMPLE._replace(secret_key="other")):
            headers = by(signer, "GET", "/", "", [HOST], EMPTY, keys)
            assert headers == signed("GET", "/", "", [HOST], EMPTY, keys, moment=moment)
            found.append(headers["authorization"])
    assert len(set(found)) == 4


def test_the_clock_is_set_by_the_server() -> None:
    signer = Signer("us-east-1", clock=MOMENT.timestamp)
    signer.skew = 3600.0
    headers = by(signer, "GET", "/", "", [HOST], EMPTY, EXAMPLE)
    assert headers["x-amz-date"] == "20130524T010000Z"


def test_no_secret_is_shown() -> None:
    assert EXAMPLE.secret_key not in repr(EXAMPLE)
