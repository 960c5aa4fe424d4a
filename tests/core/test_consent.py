"""Leave is given for one plan and for a while, and can be taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from quell.core.consent import CONSENT_VALID_FOR, Consent, check_consent
from quell.core.errors import Refused

AT = datetime(2025, 5, 4, 8, tzinfo=UTC)
GIVEN = Consent(1, 7, "abc", "account:1", AT, AT + CONSENT_VALID_FOR)


def test_leave_for_this_plan_holds_until_it_runs_out() -> None:
    check_consent(GIVEN, "abc", AT)
    check_consent(GIVEN, "abc", GIVEN.expires - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("consent", "plan", "at", "code"),
    [
        (None, "abc", AT, "no_consent"),
        (GIVEN, "abd", AT, "other_plan"),
        (GIVEN, "abc", GIVEN.expires, "consent_expired"),
        (replace(GIVEN, withdrawn=AT), "abc", AT, "consent_withdrawn"),
    ],
)
def test_without_leave_for_exactly_this_nothing_runs(
    consent: Consent | None, plan: str, at: datetime, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_consent(consent, plan, at)
    assert (refused.value.status, refused.value.code) == (403, code)
