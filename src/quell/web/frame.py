"""The shell around a page: the rail's places, the saved views and teams with their counts."""

from quell.core.permission import May
from quell.web.reads import Rail
from quell.web.session import Visit, may_do
from quell.web.views.frame import Frame, Place
from quell.web.words import initials, several

COUNT_SHOWN_MAX = 9999


def build_frame(rail: Rail, seen: Visit, csrf: str, here: str, view: str, team: str) -> Frame:
    """Everything around the page `here`, with the view or team that is looked at marked."""
    who = seen.who
    on_queue = here == "queue"
    views = tuple(
        Place(
            each.key,
            each.name,
            "/" if each.key == "all" else f"/?view={each.key}",
            n=_count(each.count),
            title=f"{several(each.count, 'ticket')} in “{each.name}”",
            here=on_queue and not team and each.key == view,
        )
        for each in rail.views
    )
    teams = tuple(
        Place(
            each.key,
            each.name,
            f"/?team={each.key}",
            n=_count(each.count),
            title=f"{several(each.count, 'open ticket')}, {each.name}",
            here=on_queue and each.key == team,
        )
        for each in rail.teams
    )
    return Frame(
        company=rail.company,
        name=who.name if who else "",
        initials=initials(who.name) if who else "",
        role=who.role if who else "",
        theme=seen.theme,
        csrf=csrf,
        places=_places(seen, rail, here),
        views=views,
        teams=teams,
        may_work=may_do(who, May.WORK),
        may_set_up=may_do(who, May.CONFIGURE),
    )


def _places(seen: Visit, rail: Rail, here: str) -> tuple[Place, ...]:
    waits = _count(rail.waits)
    found = []
    if may_do(seen.who, May.READ):
        title = f"{several(rail.waits, 'ticket waits', 'tickets wait')} for your yes" if rail.waits else ""
        found.append(Place("queue", "Queue", "/", "inbox", waits, title, here == "queue"))
        found.append(Place("devices", "Devices", "/devices", "device", here=here == "devices"))
    found.append(Place("portal", "Help page", "/portal", "portal", here=here == "portal"))
    if may_do(seen.who, May.CONFIGURE):
        found.append(Place("setup", "Set-up", "/setup", "plug", here=here == "setup"))
    return tuple(found)


def _count(number: int) -> str:
    if not number:
        return ""
    return f"{number:,}" if number <= COUNT_SHOWN_MAX else f"{COUNT_SHOWN_MAX:,}+"
