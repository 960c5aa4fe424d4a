"""How a folded ticket is written down as JSON in its row, and read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime

from quell.core.errors import Broken
from quell.core.event import Json
from quell.core.ticket import Closure, FieldValue, SetBy, Status, Ticket, reasons_from, reasons_json


def normal(value: object) -> str:
    """JSON in one spelling, for comparing."""
    return json.dumps(value, sort_keys=True)


def value_json(value: FieldValue) -> dict[str, Json]:
    """A field's value with its provenance as JSON."""
    return {
        "value": value.value,
        "by": value.by.name.lower(),
        "actor": value.actor,
        "at": value.at.isoformat(),
        "confidence": value.confidence,
        "reasons": reasons_json(value.reasons),
        "proposal": value.proposal,
    }


def value_from(found: Mapping[str, object]) -> FieldValue:
    """The other way round."""
    confidence, proposal, value = found["confidence"], found["proposal"], found["value"]
    reasons = found["reasons"]
    assert isinstance(reasons, list)
    return FieldValue(
        value=None if value is None else str(value),
        by=SetBy[str(found["by"]).upper()],
        actor=str(found["actor"]),
        at=datetime.fromisoformat(str(found["at"])),
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        reasons=reasons_from(reasons),
        proposal=proposal if isinstance(proposal, int) else None,
    )


def to_json(state: Ticket) -> dict[str, Json]:
    """A folded ticket as its row keeps it."""
    closure = asdict(state.closure) if state.closure else None
    if closure:
        closure["at"] = closure["at"].isoformat()
    return {
        "number": state.number,
        "organisation": state.organisation,
        "report": state.report,
        "opened": state.opened.isoformat(),
        "status": str(state.status),
        "fields": {name: value_json(each) for name, each in state.fields.items()},
        "opinions": {name: value_json(each) for name, each in state.opinions.items()},
        "impact": state.impact,
        "urgency": state.urgency,
        "joined_to": state.joined_to,
        "join_strength": state.join_strength,
        "stirred_by": [*sorted(state.stirred_by)],
        "first_answer": state.first_answer.isoformat() if state.first_answer else None,
        "waiting_since": state.waiting_since.isoformat() if state.waiting_since else None,
        "closure": closure,
        "noise": state.noise,
        "version": state.version,
    }


def from_json(found: Mapping[str, object]) -> Ticket:
    """A folded ticket out of its row."""
    if not found:
        raise Broken("a ticket has a row but was never opened")
    made = Ticket(
        number=_int(found["number"]),
        organisation=str(found["organisation"]),
        report=_int(found["report"]),
        opened=datetime.fromisoformat(str(found["opened"])),
        status=Status(str(found["status"])),
        impact=str(found["impact"]),
        urgency=str(found["urgency"]),
        noise=bool(found["noise"]),
        version=_int(found["version"]),
    )
    fields, opinions, closure = found["fields"], found["opinions"], found["closure"]
    stirred, strength = found["stirred_by"], found["join_strength"]
    assert isinstance(fields, dict) and isinstance(opinions, dict) and isinstance(stirred, list)
    joined = found["joined_to"]
    return replace(
        made,
        fields={name: value_from(each) for name, each in fields.items()},
        opinions={name: value_from(each) for name, each in opinions.items()},
        joined_to=joined if isinstance(joined, int) else None,
        join_strength=float(strength) if isinstance(strength, int | float) else None,
        stirred_by=frozenset(stirred),
        first_answer=_maybe_at(found["first_answer"]),
        waiting_since=_maybe_at(found["waiting_since"]),
        closure=_closure(closure) if isinstance(closure, dict) else None,
    )


def _closure(found: Mapping[str, object]) -> Closure:
    fix = found["fix"]
    at = datetime.fromisoformat(str(found["at"]))
    return Closure(str(found["by"]), at, str(found["proof"]), fix if isinstance(fix, int) else None)


def _maybe_at(value: object) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value is not None else None


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
