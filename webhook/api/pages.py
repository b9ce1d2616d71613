"""Pages: HTML to read, whatever strangers wrote into what it shows."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator import clock
from orchestrator.duration import text as length
from webhook import problem
from webhook.api.operation import Call, Older
from webhook.plain import cut, masked

HTML: Final = "text/html"
LONGEST: Final = 4_000  # characters of any one text: a page is read on a phone
FOLDER: Final = Path(__file__).parent.parent / "pages"


def render(
    call: Call, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object
) -> web.Response:
    """Answer with the page *template*, filled with *values*.

    Every text in it is escaped, masked and cut, so a page is given texts as they are stored.
    """
    page = {
        "as_of": call.desk.now(),
        "caller": f"{call.caller.name} ({call.caller.role})",
    }
    return answer(template, status, page=page, **values)


def address(path: str, **given: object) -> Markup:
    """Return *path* with what is *given* behind the question mark; None is left out.

    It is not masked, or a link would lead to another list than the one that was asked for.
    """
    said = {name: value for name, value in given.items() if value is not None}
    return Markup.escape(f"{path}?{urlencode(said)}" if said else path)


def older(call: Call, asked: Older, last: int | None) -> Markup | None:
    """Return where the rows below *last* of the same list are; None where there are none."""
    if last is None:
        return None
    return address(call.request.path, **asked.model_dump(exclude_defaults=True) | {"before": last})


@web.middleware
async def for_people(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a browser with a page that says what is wrong, where a program gets a problem."""
    made = await handler(request)
    if not (isinstance(made, web.Response) and made.content_type == problem.TYPE):
        return made
    if made.prepared or not _reads_pages(request):
        return made
    status = HTTPStatus(made.status)
    page = {"as_of": clock.now(), "caller": None}
    detail = json.loads(made.text or "{}").get("detail")
    told = answer("error.html", status, title=status.phrase, detail=detail, page=page)
    kept = [each for each in made.headers.items() if each[0] not in told.headers]
    told.headers.extend(kept)  # such as both of WWW-Authenticate
    return told


def _reads_pages(request: web.Request) -> bool:
    """Tell whether a person asks, who follows a link; what programs ask is under /api/."""
    asks = request.method in ("GET", "HEAD") and not request.path.startswith("/api/")
    return asks and HTML in request.headers.get("Accept", "")


def answer(template: str, status: HTTPStatus, **values: object) -> web.Response:
    """Answer with a page under the headers that let it do nothing but be read."""
    made = environment().get_template(template).render(**values)
    return web.Response(
        text=made, status=status, content_type=HTML, charset="utf-8", headers=headers()
    )


@cache
def environment() -> Environment:
    """Return the templates. They are read once; an undefined name in one is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["instant"] = _instant
    made.filters["length"] = _length
    made.filters["ago"] = _ago
    made.globals["style"] = Markup(_style())  # noqa: S704  a file of ours
    return made


@cache
def headers() -> dict[str, str]:
    """Return the headers of every page: nothing is loaded, run, framed, sent or kept."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


@cache
def _style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


def _shown(value: object) -> object:
    """Make a text safe to show: it holds no secret, and nothing that turns or hides other text."""
    if value is None:
        return "-"
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    lines = cut(value, 2 * LONGEST).splitlines()
    calm = "\n".join("".join(c if c.isprintable() else " " for c in each) for each in lines)
    return cut(masked(calm), LONGEST)


def _instant(value: datetime | str | None) -> str:
    """Write an instant for people: `2026-11-21 08:56:57 UTC`."""
    if value is None:
        return "-"
    read = clock.read(value) if isinstance(value, str) else value
    return f"{read.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(value: str, now: datetime) -> str:
    """Write for people how long ago an instant was."""
    return _length(now - clock.read(value))


def _length(value: timedelta) -> str:
    """Write a length of time for people, in whole seconds: `14m3s`."""
    return length(timedelta(seconds=max(round(value.total_seconds()), 0)))
