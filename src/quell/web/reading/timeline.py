"""The timeline: each entry of the log in one sentence, and whether the log is whole."""

from collections.abc import Callable, Mapping, Sequence

from quell.core.event import Event, Json
from quell.store.seals import Sealed
from quell.web.reading.names import Names
from quell.web.reading.rows import percent
from quell.web.views.ticket import Entry, Seal
from quell.web.words import moment, several, when

LABELS = {"category": "category", "owner": "owner", "assignee": "person", "priority": "priority", "join": "join"}
PROOFS = {
    "verified": "a check proved it",
    "signal": "the machine itself says so",
    "confirmed": "the reporter said so",
    "assumed": "assumed, nobody has confirmed it yet",
}
HANDED = {
    "failed": "the fix failed",
    "undone": "the fix did not help and was put back",
    "no_answer": "the device is silent",
}
Sentence = tuple[str, str, str, str, bool]  # icon, says, small, state, minor


def entries(sealed: Sealed, names: Names, opener: str) -> tuple[Entry, ...]:
    """Newest first; `opener` is who told us first, for the log names nobody there."""
    made = []
    for each in reversed(sealed.events):
        icon, says, small, state, minor = _sentence(each, names)
        at = moment(each.at, names.now, names.zone)
        who = opener if each.kind == "ticket_opened" and opener else names.of(each.actor)
        made.append(Entry(at, icon, who, says, small, state, minor))
    return tuple(made)


def seal(sealed: Sealed, names: Names) -> Seal:
    """The mark beside the heading; recomputed for this very page."""
    count = len(sealed.events)
    if sealed.broken_at is not None:
        says = f"Entry {sealed.broken_at} does not follow from the one before it. Run `quell audit verify`."
        return Seal(count, False, sealed.head, says)
    signed = (
        f" The last signed checkpoint over all logs is of {when(sealed.checkpoint_at, names.now, names.zone)}."
        if sealed.checkpoint_at is not None
        else ""
    )
    head = f"{sealed.head[:8]}…{sealed.head[-4:]}"
    says = f"Each entry carries the hash of the one before. All {count} were recomputed just now. Head {head}."
    return Seal(count, True, sealed.head, says + signed)


def _sentence(each: Event, names: Names) -> Sentence:
    make = _SENTENCES.get(each.kind)
    return make(each.body, names) if make else ("guess", each.kind.replace("_", " "), "", "", True)


def _value(body: Mapping[str, Json], names: Names) -> str:
    field, value = str(body.get("field")), body.get("value")
    if value is None:
        return "nothing"
    text = str(value)
    if field == "join":
        return f"T-{text}"
    if field == "assignee":
        return names.of(text) if ":" in text else text
    return {"category": names.categories, "owner": names.teams}.get(field, {}).get(text, text)


def _first_reason(body: Mapping[str, Json]) -> str:
    found = body.get("reasons")
    return str(found[0][0]) if isinstance(found, list) and found and isinstance(found[0], list) else ""


def _sure(body: Mapping[str, Json]) -> str:
    value = body.get("confidence")
    return f"{percent(float(value))}% sure" if isinstance(value, int | float) else ""


def _field_set(body: Mapping[str, Json], names: Names) -> Sentence:
    label = LABELS.get(str(body.get("field")), str(body.get("field")))
    by_model = body.get("by") == "model"
    small = ", ".join(each for each in (_sure(body), _first_reason(body)) if each) if by_model else _first_reason(body)
    alone = ", by itself" if by_model else ""
    return "edit", f"set the {label} to {_value(body, names)}{alone}", small, "", False


def _proposed(body: Mapping[str, Json], names: Names) -> Sentence:
    field = str(body.get("field"))
    small = ", ".join(each for each in (_sure(body), _first_reason(body)) if each)
    if field == "join":
        return "merge", f"thinks that this is the same as {_value(body, names)}", small, "", False
    return "guess", f"suggests the {LABELS.get(field, field)} {_value(body, names)}", small, "", True


def _joined(body: Mapping[str, Json], names: Names) -> Sentence:
    return "merge", f"joined this to T-{body.get('into')}", _first_reason(body), "", False


def _resolved(body: Mapping[str, Json], names: Names) -> Sentence:
    return "done", "marked it solved", PROOFS.get(str(body.get("proof")), ""), "good", False


def _told(body: Mapping[str, Json], names: Names) -> Sentence:
    found = body.get("reports")
    count = len(found) if isinstance(found, list) else 0
    return "reply", f"answered {several(count, 'reporter')}", "", "", False


def _assessed(body: Mapping[str, Json], names: Names) -> Sentence:
    small = f"impact {body.get('impact')}, urgency {body.get('urgency')}"
    return "eye", f"read it as {body.get('kind', 'something')}", small, "", True


def _announced(body: Mapping[str, Json], names: Names) -> Sentence:
    says = f"says that this has become {body.get('value')}; {body.get('held')} was set by a person and stays"
    return "warn", says, _first_reason(body), "bad", False


def _moved(body: Mapping[str, Json], names: Names) -> Sentence:
    words = {"open": "took it in hand", "waiting": "waits for the reporter", "resolved": "marked it solved"}
    return "play", words.get(str(body.get("status")), f"moved it to {body.get('status')}"), "", "", False


def _checked(body: Mapping[str, Json], names: Names) -> Sentence:
    if body.get("state") == "held":
        return "done", "checked the fix: it held", "the same signal that failed is good again", "good", False
    return "stop", "checked the fix: it did not help", "", "bad", False


def _ordered(body: Mapping[str, Json], names: Names) -> Sentence:
    small = f"number {body.get('sequence')} for this device"
    return "seal", f"signed the order to {body.get('order')}", small, "", True


def _evidence(body: Mapping[str, Json], names: Names) -> Sentence:
    if "telemetry" in body:
        found = body.get("findings")
        return "eye", "showed how it is", f"{found} things stand out" if found else "nothing stands out", "", True
    return "eye", "looked around", f"{body.get('similar')} alike, {body.get('nearby')} open beside it", "", True


def _handed(body: Mapping[str, Json], names: Names) -> Sentence:
    small = HANDED.get(str(body.get("why")), str(body.get("why") or ""))
    return "user", "handed it to a person", small, "", False


def _plain(icon: str, says: str, state: str = "", minor: bool = False, small: str = "") -> Callable[..., Sentence]:
    def make(body: Mapping[str, Json], names: Names) -> Sentence:
        return icon, says, small, state, minor

    return make


def _member(icon: str, says: str) -> Callable[..., Sentence]:
    def make(body: Mapping[str, Json], names: Names) -> Sentence:
        return icon, says.format(body.get("ticket")), "", "", False

    return make


_SENTENCES: Mapping[str, Callable[[Mapping[str, Json], Names], Sentence]] = {
    "ticket_opened": _plain("inbox", "opened the ticket"),
    "ticket_assessed": _assessed,
    "field_set": _field_set,
    "field_released": _plain("undo", "took a value back"),
    "ticket_moved": _moved,
    "ticket_resolved": _resolved,
    "ticket_closed": _plain("done", "closed it", "good"),
    "ticket_reopened": _plain("refresh", "opened it again"),
    "ticket_stirred": _plain("refresh", "brought it back: a reporter wrote again"),
    "ticket_joined": _joined,
    "ticket_left": _plain("split", "took this out; it stands alone again"),
    "member_joined": _member("merge", "joined T-{} here"),
    "member_left": _member("split", "took T-{} out"),
    "answer_sent": _plain("reply", "sent an answer", minor=True),
    "reporter_replied": _plain("mail", "wrote again"),
    "noise_set": _plain("x", "put it aside as noise"),
    "note_added": _plain("lock", "wrote a private note"),
    "proposal_made": _proposed,
    "proposal_rejected": _plain("x", "said no to a proposal"),
    "opinion_announced": _announced,
    "evidence_gathered": _evidence,
    "handed_over": _handed,
    "fix_proposed": _plain("wrench", "proposed a fix"),
    "fix_planned": _plain("file", "said exactly what the fix would do", minor=True),
    "fix_consented": _plain("check", "approved the fix", small="for exactly the plan that was shown"),
    "fix_refused": _plain("x", "refused the fix"),
    "fix_ordered": _ordered,
    "fix_applied": _plain("wrench", "ran the fix"),
    "fix_checked": _checked,
    "fix_undone": _plain("undo", "put the old state back", "bad"),
    "fix_failed": _plain("stop", "could not run the fix", "bad"),
    "reporters_told": _told,
    "identity_over": _plain("done", "says that it is over", "good"),
    "audit_drawn": _plain("eye", "drew it for a second look by a person", minor=True),
}


def actors(events: Sequence[Event]) -> set[str]:
    """Everybody who acted here."""
    return {each.actor for each in events}
