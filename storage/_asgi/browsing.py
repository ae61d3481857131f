"""The page for people: one HTML document with nothing around it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from .._core.info import ObjectInfo
from .listing import Page, Question
from .paths import link
from .replies import NOSNIFF, Reply

_HERE = Path(__file__).parent
# Read here, and not while a request waits.
STYLE = (_HERE / "page.css").read_text("utf-8")
SCRIPT = (_HERE / "page.js").read_text("utf-8")
# Characters that show nothing, or that end a line, are shown as pictures of themselves.
_PICTURES = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_digest(STYLE)}",
        f"script-src {_digest(SCRIPT)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    NOSNIFF,
    ("content-security-policy", POLICY),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("vary", "accept"),
)


@dataclass(frozen=True)
class View:
    """What a page shows.

    Args:
        title: The name of the whole.
        root: The path of the collection.
        question: Which page.
        page: Its entries.
        writable: Whether objects may be put and deleted.
        guarded: Whether the store can see to it that an upload replaces nothing.
        limit: Bytes that an upload may have.
        notice: What is wrong.
    """

    title: str
    root: str
    question: Question
    page: Page
    writable: bool = False
    guarded: bool = True
    limit: int | None = None
    notice: str = ""


def shown(view: View, status: int = 200) -> Reply:
    """The answer with the page."""
    here = view.question.prefix
    title = escape(view.title)
    heading = _name(here.rstrip("/").rpartition("/")[2]) if here else title
    whole = f"{_name(here)} – {title}" if here else title
    folder = here[: here.rfind("/") + 1]
    limit = "" if view.limit is None else str(view.limit)
    data = (
        f'data-root="{escape(view.root)}" data-prefix="{escape(folder)}"'
        f' data-limit="{limit}" data-guarded="{int(view.guarded)}"'
    )
    parts = [
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        '<meta name=color-scheme content="light dark">',
        '<link rel=icon href="data:,">',
        f"<title>{whole}</title>\n<style>{STYLE}</style>",
        f"<body {data}>",
        f"<header><nav aria-label=Breadcrumb><ol>{_crumbs(view)}</ol></nav></header>",
        f"<main><h1><bdi>{heading}</bdi></h1>",
        _upload(view) if view.writable else "",
        f"<p role=status id=status>{escape(view.notice)}</p>",
        _table(view),
        _onward(view),
        f"</main>\n<script>{SCRIPT}</script>",
    ]
    return Reply(status, _HEADERS, "\n".join(part for part in parts if part).encode())


def _name(text: str) -> str:
    """A name as it is shown."""
    return escape(f"(no name){text}" if text in ("", "/") else text.translate(_PICTURES))


def _level(root: str, prefix: str, **more: str) -> str:
    """A link to a page of the listing."""
    query = {"prefix": prefix, **more} if prefix else more
    return escape(f"{root}?{urlencode(query)}" if query else root)


def _crumbs(view: View) -> str:
    """The way down to what is shown."""
    parts = view.question.prefix.split("/")
    ways = [("", escape(view.title))]
    ways += [("/".join(parts[: at + 1]) + "/", _name(part)) for at, part in enumerate(parts[:-1])]
    if parts[-1]:
        ways.append((view.question.prefix, _name(parts[-1]) + "…"))
    *above, (_, current) = ways
    items = [
        f'<li><a href="{_level(view.root, way)}"><bdi>{name}</bdi></a></li>' for way, name in above
    ]
    return "".join([*items, f"<li><span aria-current=page><bdi>{current}</bdi></span></li>"])


def _upload(view: View) -> str:
    return (
        "<form id=upload><label for=files>Add files</label>"
        "<input id=files type=file multiple>"
        "<span class=hint>or drop them anywhere on this page</span></form>"
    )


def _table(view: View) -> str:
    if not view.page.entries:
        return "<p class=empty>There is nothing here.</p>"
    rows = "\n".join(_row(view, name, info) for name, info in view.page.entries)
    heads = "<th scope=col>Name<th scope=col class=number>Size<th scope=col>Modified"
    return (
        '<div class=scroll tabindex=0 role=region aria-label="Objects"><table>\n'
        f"<caption class=unseen>Objects in {_name(view.question.prefix or view.title)}</caption>\n"
        f"<thead><tr>{heads}<th scope=col><span class=unseen>Actions</span></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(view: View, name: str, info: ObjectInfo | None) -> str:
    short = _name(name.removeprefix(view.question.prefix))
    if info is None:
        way = _level(view.root, name)
        label = f'<a class=folder href="{way}"><bdi>{short}</bdi></a>'
        return f"<tr><th scope=row>{label}<td><td><td>"
    path = link(view.root, name)
    way, saved = escape(path), escape(f"{path}{'&' if '?' in path else '?'}download=1")
    actions = f'<a href="{saved}" aria-label="Download {short}">Download</a>'
    if view.writable:
        actions += (
            f' <button type=button class=delete data-href="{way}" data-name="{short}"'
            f' aria-label="Delete {short}">Delete</button>'
        )
    return (
        f'<tr><th scope=row><a href="{way}"><bdi>{short}</bdi></a>'
        f"<td class=number>{_size(info)}<td>{_time(info)}<td class=actions>{actions}"
    )


def _size(info: ObjectInfo) -> str:
    if info.size is None:
        return "–"
    amount, unit = float(info.size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1023.5 or unit == "TiB":
            break
        amount /= 1024
    text = f"{amount:.0f}" if unit == "B" or amount >= 99.5 else f"{amount:.1f}"
    return f'<data value="{info.size}" title="{info.size:,} bytes">{text} {unit}</data>'


def _time(info: ObjectInfo) -> str:
    if info.modified is None:
        return "–"
    moment = info.modified
    stamp = escape(moment.isoformat(timespec="seconds"))
    return (
        f'<time datetime="{stamp}">{moment:%Y-%m-%d %H:%M} {escape(moment.tzname() or "")}</time>'
    )


def _onward(view: View) -> str:
    after = view.page.next
    if after is None:
        return ""
    way = _level(view.root, view.question.prefix, start_after=after)
    return f'<nav aria-label="Pages"><a rel=next href="{way}">More</a></nav>'
