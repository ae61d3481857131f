"""What the fast lane makes of answers, good and bad."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage._async.backends.s3.lane import results, xml
from storage._async.backends.s3.lane.errors import refusal
from storage._async.backends.s3.lane.unread import Unread
from storage._core.errors import MalformedResponse

LISTING = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <CommonPrefixes><Prefix>a%2Fb+c/</Prefix></CommonPrefixes>
  <Contents>
    <Size>4</Size><Owner><ID>1</ID><DisplayName>x</DisplayName></Owner>
    <LastModified>2026-11-21T10:00:00.123Z</LastModified><ETag>&quot;e&quot;</ETag>
    <StorageClass>STANDARD</StorageClass><Key>a%252F%C3%BC+%26</Key>
  </Contents>
  <!-- a word --><Prefix>a</Prefix><IsTruncated>true</IsTruncated><KeyCount>2</KeyCount>
  <NextContinuationToken>t&amp;</NextContinuationToken><Name>bucket</Name>
  <EncodingType>url</EncodingType><Delimiter>%2F</Delimiter>
</ListBucketResult>
"""


def listing(content: bytes) -> results.Answer:
    return results.of_document("list_objects_v2", xml.parse(content))


def test_a_listing() -> None:
    moment = datetime(2026, 11, 21, 10, 0, 0, 123000, UTC)
    assert listing(LISTING) == {
        "Contents": [
            {
                "Key": "a%2Fü &",
                "Size": 4,
                "LastModified": moment,
                "ETag": '"e"',
                "StorageClass": "STANDARD",
            }
        ],
        "CommonPrefixes": [{"Prefix": "a/b c/"}],
        "IsTruncated": True,
        "KeyCount": 2,
        "NextContinuationToken": "t&",
        "Name": "bucket",
        "EncodingType": "url",
        "Delimiter": "/",
        "Prefix": "a",
    }
    plain = listing(LISTING.replace(b"<EncodingType>url</EncodingType>", b""))
    assert plain["Contents"][0]["Key"] == "a%252F%C3%BC+%26"
    spaced = LISTING.replace(b"<", b"<s:").replace(b"<s:/", b"</s:").replace(b"<s:!", b"<!")
    spaced = spaced.replace(b"<s:?", b"<?").replace(b"xmlns=", b"xmlns:s=")
    assert listing(spaced) == listing(LISTING) == listing(b" \n\t" + LISTING)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("<Size>4</Size>", "<Size>four</Size>"),
        ("<IsTruncated>true", "<IsTruncated>maybe"),
        ("<KeyCount>2", "<KeyCount>"),
        ("2026-11-21T10:00:00.123Z", "yesterday"),
        ("ListBucketResult", "ListBucketsResult"),
        ("<Prefix>a%2Fb+c/</Prefix>", "<Suffix>a</Suffix>"),
        ("<Name>", "<Name><"),
        ("a word", "a -- word"),
        ("</ListBucketResult>", ""),
        ("<ListBucket", "<!DOCTYPE x [<!ENTITY y 'z'>]><ListBucket"),
        ("&amp;", "&y;"),
        ("STANDARD", "\x00"),
    ],
)
def test_a_listing_that_is_none(text: str, other: str) -> None:
    changed = LISTING.decode().replace(text, other)
    assert changed != LISTING.decode()
    with pytest.raises(MalformedResponse):
        listing(changed.encode())


@given(st.data())
def test_whatever_comes_is_an_answer_or_malformed(data: st.DataObject) -> None:
    content = bytearray(LISTING)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 30))
        content[start:end] = data.draw(
            st.binary(max_size=5) | st.sampled_from([b"<", b"&", b"]]>"])
        )
    for operation in results.DOCUMENTS:
        try:
            document = xml.parse(bytes(content))
            results.of_document(operation, document)
        except MalformedResponse:
            pass
    refused = refusal(503, {}, bytes(content), 0)
    assert refused.code == "503"


HEADER = st.sampled_from(sorted({name for table in results.TABLES.values() for name in table}))


@given(st.dictionaries(HEADER, st.text(max_size=30) | st.sampled_from(["1", "true", "-1"])))
def test_whatever_headers_say(headers: dict[str, str]) -> None:
    for operation in results.TABLES:
        try:
            answer = results.of_headers(operation, headers)
        except MalformedResponse:
            continue
        assert len(answer) <= len(headers) + 1


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun, 06 Nov 1994 08:49:37 +0000", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun, 6 Nov 1994 10:49:37 +0200", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun, 06 Non 1994 08:49:37 GMT", None),
        ("Sun, 32 Nov 1994 08:49:37 GMT", None),
        ("Sun, 0x Nov 1994 08:49:37 GMT", None),
        ("1994", None),
        ("", None),
    ],
)
def test_times(text: str, moment: datetime | None) -> None:
    if moment is None:
        with pytest.raises(ValueError):  # noqa: PT011
            results.http_date(text)
    else:
        assert results.http_date(text) == moment
    answer = results.of_headers("get_object", {"expires": text, "x-amz-meta-a": "b"})
    assert answer.pop("ExpiresString") == text
    assert answer.pop("Expires", None) == moment
    assert answer == {"Metadata": {"a": "b"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1/s=+-_.~", "1/s=+-_.~"),
        (b"t&amp;", None),
        (b"<![CDATA[t]]>", None),
        (b" t ", None),
        (b"", None),
        ("\u00fc".encode(), None),
    ],
)
def test_a_token_is_guessed_only_where_it_stands_for_itself(
    text: bytes, expected: str | None
) -> None:
    content = LISTING.replace(b"t&amp;", text)
    assert Unread.suits(content)
    unread = Unread(content, listing)
    assert unread.expected == expected
    assert expected is None or unread["NextContinuationToken"] == expected


def test_a_guess_from_a_comment_is_only_a_guess() -> None:
    comment = b"<!-- <NextContinuationToken>other</NextContinuationToken> --><CommonPrefixes>"
    unread = Unread(LISTING.replace(b"<CommonPrefixes>", comment), listing)
    assert (unread.expected, unread["NextContinuationToken"]) == ("other", "t&")


def test_what_is_no_whole_listing_is_read_at_once() -> None:
    assert Unread.suits(LISTING + b"\r\n ")
    for other in (b"", b"<html/>", LISTING[:-5], LISTING + b"<x/>"):
        assert not Unread.suits(other)
