"""From a view to HTML: templates that decide nothing, escape everything and stop at an unknown name."""

from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from quell.core.permission import May
from quell.web import words
from quell.web.deps import deps_of
from quell.web.desk import Done
from quell.web.frame import build_frame
from quell.web.reads import Rail
from quell.web.session import Visit, form_token, may_do, remember_visit
from quell.web.static_files import StaticTree
from quell.web.views.frame import Frame
from quell.web.views.ticket import Download

FOLDER = Path(__file__).parent / "templates"
PROMISES = {
    "P1": "P1: many people stopped, or safety",
    "P2": "P2: a team is stopped, or many are slowed",
    "P3": "P3: one person is stopped",
    "P4": "P4: nobody is stopped",
}


def environment(files: StaticTree) -> Environment:
    """The templates; every text goes through `_`, so that catalogues can be put under it."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    made.filters["plain"] = words.plain
    made.filters["sentence"] = words.sentence
    made.filters["spoken"] = words.spoken
    made.filters["several"] = words.several
    made.globals["file"] = files.address
    made.globals["PROMISES"] = PROMISES
    return made


def is_part(request: Request) -> bool:
    """Whether our script asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def answer_html(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One template as an answer."""
    made: Environment = request.app.state.templates
    return HTMLResponse(made.get_template(template).render(**values), status)


async def frame_of(request: Request, seen: Visit, here: str, view: str = "all", team: str = "") -> Frame:
    """The shell around a page for the person who looks."""
    deps = deps_of(request)
    rail = Rail("") if seen.who is None or not may_do(seen.who, May.READ) else await deps.reads.rail(seen.who)
    if not rail.company:
        rail = Rail(await deps.reads.company(), rail.views, rail.teams, rail.waits)
    return build_frame(rail, seen, form_token(deps, seen), here, view, team)


def page(request: Request, seen: Visit, template: str, frame: Frame, status: int = 200, **values: Any) -> Response:
    """A whole page in its shell; `position` says where its live events begin, "" for a page that stands still."""
    here = next((each.key for each in frame.places if each.here), "")
    given = {"position": "", "here": here, **_shared(frame), **values}
    response = answer_html(request, template, status, **given)
    remember_visit(request, response, seen)
    return response


def part(request: Request, seen: Visit, template: str, **values: Any) -> Response:
    """A part of a page, with form tokens of its own."""
    frame = build_frame(Rail(""), seen, form_token(deps_of(request), seen), "", "", "")
    return answer_html(request, template, **{**_shared(frame), **values})


def _shared(frame: Frame) -> dict[str, Any]:
    return {"frame": frame, "csrf": frame.csrf, "may_work": frame.may_work, "may_set_up": frame.may_set_up}


def download(file: Download) -> Response:
    """A file as a download that no browser shows or runs in our own origin."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(file.content, headers=headers, media_type="application/octet-stream")


def done(request: Request, seen: Visit, what: Done, back: str) -> Response:
    """The answer to a verb: a toast with its way back, or for a browser without script the page to go to."""
    if not is_part(request):
        return RedirectResponse(back, 303)
    return part(request, seen, "toast.html", done=what)
