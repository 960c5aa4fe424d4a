"""Every role may do what its work asks for, and nothing that is somebody else's."""

import pytest

from quell.core.errors import Refused
from quell.core.permission import ROLES, SYSTEM, Actor, May, Role


def test_every_role_has_its_verbs_and_nobody_but_owner_and_admin_configures() -> None:
    assert set(ROLES) == set(Role)
    assert {role for role, may in ROLES.items() if May.CONFIGURE in may} == {Role.OWNER, Role.ADMIN}
    assert {role for role, may in ROLES.items() if May.CONSENT in may} == {Role.OWNER, Role.ADMIN, Role.TECHNICIAN}


def test_a_reporter_reads_no_queue_and_an_auditor_changes_nothing() -> None:
    assert ROLES[Role.REPORTER] == {May.REPORT}
    assert not ROLES[Role.AUDITOR] & {May.WORK, May.CONSENT, May.CONFIGURE, May.REPORT}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("may", May)
def test_who_may_not_is_refused_with_a_sentence(role: Role, may: May) -> None:
    actor = Actor("account:1", role)
    if may in ROLES[role]:
        actor.need(may)
        return
    with pytest.raises(Refused, match=f"a {role} may not {may} here") as refused:
        actor.need(may)
    assert refused.value.status == 403


def test_quell_itself_may_do_all() -> None:
    for may in May:
        SYSTEM.need(may)
