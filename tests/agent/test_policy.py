"""The device's policy: it narrows, it is read whole or not at all, and nobody else may write it."""

from pathlib import Path

import pytest

from quell.agent.policy_file import DEFAULT, load_policy, read_policy
from quell.wire.errors import Malformed, Untrusted


def test_the_default_allows_the_four_fixes_within_narrow_bounds() -> None:
    """What `enrol` writes: no service, temporary folders only."""
    policy = read_policy(DEFAULT)
    assert set(policy.actions) == {"flush_dns", "clear_cache", "restart_service", "free_disk_space"}
    assert policy.deletion.roots == ("/tmp", "/var/tmp") and policy.deletion.older_than_s_min == 86_400
    assert not policy.services and not policy.caches and not policy.disabled


def test_without_a_policy_nothing_is_allowed(tmp_path: Path) -> None:
    """Deny by default."""
    with pytest.raises(Untrusted) as refused:
        load_policy(tmp_path / "none").allow("flush_dns", ["flush_names"])
    assert refused.value.code == "not_allowed"


@pytest.mark.parametrize(
    ("text", "action", "steps", "code"),
    [
        ('[actions]\nflush_dns = ["flush_names"]', "flush_dns", ["flush_names"], None),
        ('[actions]\nflush_dns = ["flush_names"]', "flush_dns", ["delete_old_files"], "not_allowed"),
        ('[actions]\nflush_dns = ["flush_names"]', "restart_service", ["restart_service"], "not_allowed"),
        ('disabled = true\n[actions]\nflush_dns = ["flush_names"]', "flush_dns", ["flush_names"], "disabled"),
    ],
)
def test_an_action_may_use_only_the_steps_listed_for_it(
    text: str, action: str, steps: list[str], code: str | None
) -> None:
    """An order that calls itself flush_dns cannot bring a deletion along."""
    policy = read_policy(text)
    if code is None:
        policy.allow(action, steps)
        return
    with pytest.raises(Untrusted) as refused:
        policy.allow(action, steps)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "disabeld = true",
        "disabled = 1",
        "not toml",
        '[actions]\nx = ["run_shell"]',
        '[actions]\n"a b" = ["flush_names"]',
        '[deletion]\nroots = ["/"]',
        '[deletion]\nroots = ["/etc/cron.d"]',
        '[deletion]\nroots = ["/usr/share"]',
        '[deletion]\nroots = ["/home"]',
        '[deletion]\nroots = ["/var"]',
        '[deletion]\nroots = ["tmp"]',
        '[deletion]\nroots = ["/tmp/../etc"]',
        "[deletion]\nmib_max = 0",
        '[services.web]\nstart = ["/bin/x"]',
        '[services.web]\nstart = ["nginx"]\nstop = ["/bin/x"]\nstatus = ["/bin/x"]',
        '[services."a b"]',
        "[services.web]\nstrat = []",
        "[caches.x]",
        '[caches.x]\nroots = ["/srv/c"]\npattern = "../*"',
        "[checks]\nevery_s = 0",
        "[names]\nserver = 1",
    ],
    ids=lambda text: text.replace("\n", " "),
)
def test_a_policy_with_a_mistake_is_refused_whole(text: str) -> None:
    """A slip of the pen must not turn into consent."""
    with pytest.raises(Malformed):
        read_policy(text)


def test_a_policy_that_others_can_write_allows_nothing(tmp_path: Path) -> None:
    """Whoever can write the policy can do what it allows."""
    path = tmp_path / "policy.toml"
    path.write_text(DEFAULT)
    path.chmod(0o644)
    assert load_policy(path).actions
    path.chmod(0o664)
    with pytest.raises(Untrusted) as refused:
        load_policy(path)
    assert refused.value.code == "bad_policy"
