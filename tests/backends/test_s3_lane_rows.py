"""Listings that a pattern reads say what the parser says of them, whatever they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage._async.backends.s3.lane import results, rows, xml
from storage._core.errors import MalformedResponse

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
    "<Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
)
ROW = (
    "<Contents><Key>a%2Fb+c</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified>"
    "<ETag>&#34;9a10&#34;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
OTHER = ROW.replace("a%2Fb", "d").replace("&#34;", "&quot;")
TAIL = "<EncodingType>url</EncodingType><KeyCount>2</KeyCount></ListBucketResult>"
USUAL = HEAD + ROW + OTHER + TAIL


def parsed(content: bytes) -> results.Answer | None:
    """What the parser finds; None: nothing that could be a listing."""
    try:
        return results.of_document("list_objects_v2", xml.parse(content))
    except MalformedResponse:
        return None


def read(content: bytes) -> results.Answer | None:
    """What is found in fact."""
    try:
        answer = results.of_listing(content)
    except MalformedResponse:
        return None
    return answer | {"Contents": list(answer["Contents"])}


def test_the_usual_form() -> None:
    found = rows.split(USUAL.encode())
    assert found is not None
    assert list(found.columns["Size"]) == ["7", "7"]
    answer = read(USUAL.encode())
    assert answer == parsed(USUAL.encode())
    assert answer is not None
    assert answer["Contents"][0] == {
        "Key": "a/b c",
        "LastModified": datetime(2026, 11, 21, 10, tzinfo=UTC),
        "ETag": '"9a10"',
        "Size": 7,
        "StorageClass": "STANDARD",
    }
    assert answer["KeyCount"] == 2


@pytest.mark.parametrize(
    "text",
    [
        # Rows that are none: in a comment, in CDATA, in another element, in two places, of another
        # space of names.
        f"{HEAD}<!--{ROW}-->{TAIL}",
        f"{HEAD}<![CDATA[{ROW}]]>{TAIL}",
        f"{HEAD}<Other>{ROW}{OTHER}</Other>{TAIL}",
        f"{HEAD}<Prefix>{ROW}</Prefix>{TAIL}",
        f"{HEAD}{ROW}<Contents><Key></Key></Contents>{TAIL}",
        f"{HEAD}{ROW}<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>{OTHER}{TAIL}",
        f"{HEAD}{ROW}<!-- -->{OTHER}{TAIL}",
        f"{HEAD}{ROW}and{OTHER}{TAIL}",
        f"{HEAD}{ROW.replace('<Key>', '<s:Key>').replace('</Key>', '</s:Key>')}{TAIL}",
        f"{ROW}{HEAD}{OTHER}{TAIL}",
        f"{HEAD}{TAIL}{ROW}",
        # Rows that are a little different.
        USUAL.replace("<Size>7</Size>", "<Size>7</Size><Size>8</Size>"),
        USUAL.replace("<Size>7</Size>", "<Size></Size>"),
        USUAL.replace("<Size>7</Size>", "<Size> 7 </Size>"),
        USUAL.replace("<Size>7</Size>", f"<Size>{'7' * 5000}</Size>"),
        USUAL.replace("<Size>7</Size>", ""),
        USUAL.replace("<ETag>", "<Owner><ID>1</ID></Owner><ETag>"),
        USUAL.replace("a%2Fb", "a&amp;&#34;&#60;b"),
        USUAL.replace("a%2Fb", "a&amp;#34;b"),
        USUAL.replace("a%2Fb", "a\rb\r\nc"),
        USUAL.replace("a%2Fb", "\u00fc"),
        USUAL.replace("a%2Fb", "\x7f\x85\ufffe"),
        USUAL.replace("a%2Fb", "]]>"),
        USUAL.replace("<Key>", "<Key >"),
        USUAL.replace("Key>", "Key&#34;>"),
        USUAL.replace("2026-11-21T10:00:00.000Z", "yesterday"),
        USUAL.replace("<?xml", "<!DOCTYPE x []><?xml"),
        USUAL.replace('encoding="UTF-8"', 'encoding="UTF-16"'),
        USUAL.replace("ListBucketResult", "ListResult"),
        USUAL.replace("url", "none"),
        f"<Contents>{USUAL}</Contents>",
        "</Contents><Contents>",
        "",
    ],
)
def test_what_looks_like_it(text: str) -> None:
    content = text.encode()
    assert read(content) == parsed(content)


PIECES = st.sampled_from(
    [
        *(b"<", b"&", b"]]>", b"<!--", b"-->", b"<Contents>", b"</Contents>", b"<Key>", b"&quot;"),
        *(ROW.encode(), b"\xff", b"\r", b"<a>", b"</a>", b"<Size>1</Size>", b"<![CDATA["),
    ]
)


@given(st.data())
def test_whatever_comes_is_read_alike(data: st.DataObject) -> None:
    content = bytearray(USUAL.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 40))
        content[start:end] = data.draw(st.binary(max_size=5) | PIECES)
    assert read(bytes(content)) == parsed(bytes(content))
