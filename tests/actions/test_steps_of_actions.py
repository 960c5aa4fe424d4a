"""What each action turns its parameters into."""

import pytest

from quell.actions.clear_cache import ACTION as clear_cache
from quell.actions.flush_dns import ACTION as flush_dns
from quell.actions.free_disk_space import ACTION as free_disk_space
from quell.actions.restart_service import ACTION as restart_service
from quell.core.errors import Refused
from quell.wire.steps import (
    CacheSize,
    ClearCache,
    DeleteOldFiles,
    DiskFree,
    FlushNames,
    HttpAnswers,
    NameResolves,
    PortOpen,
    PutBackService,
    RestartService,
    ServiceRuns,
)


def test_flush_dns_checks_the_name_that_could_not_be_found() -> None:
    """The same signal that failed is the one that must pass."""
    params = {"name": "intranet.example", "address": "192.0.2.9"}
    assert flush_dns.plan(params) == (FlushNames(),)
    assert flush_dns.check(params) == (NameResolves("intranet.example", "192.0.2.9"),)
    assert flush_dns.undo(params) == ()


def test_restart_service_checks_as_much_as_was_named() -> None:
    """Running alone, or also a port and an address."""
    assert restart_service.check({"service": "nginx"}) == (ServiceRuns("nginx"),)
    assert restart_service.check({"service": "nginx", "port": "80", "url": "http://127.0.0.1/"}) == (
        ServiceRuns("nginx"),
        PortOpen(80),
        HttpAnswers("http://127.0.0.1/"),
    )
    assert restart_service.plan({"service": " nginx "}) == (RestartService("nginx"),)
    assert restart_service.undo({"service": "nginx"}) == (PutBackService("nginx"),)


def test_free_disk_space_has_bounds_even_when_none_are_given() -> None:
    """A day old, ten GiB at most, a tenth free afterwards."""
    assert free_disk_space.plan({"mount": "/var"}) == (DeleteOldFiles("/var", 86_400, 10 * 2**30, "*", ""),)
    assert free_disk_space.check({"mount": "/var"}) == (DiskFree("/var", percent=10),)
    assert free_disk_space.undo({"mount": "/var"}) is None


def test_clear_cache_checks_that_it_is_gone() -> None:
    """A cache by its name in the device's policy, never by path."""
    assert clear_cache.plan({"cache": "firefox", "mib_max": "1"}) == (ClearCache("firefox", 2**20),)
    assert clear_cache.check({"cache": "firefox"}) == (CacheSize("firefox", 16 * 2**20),)


def test_all_faults_are_named_at_once() -> None:
    """Nobody mends a form one field at a time."""
    with pytest.raises(Refused) as refused:
        free_disk_space.plan({"mount": "var", "mib_max": "0", "older_than_h": "x", "oops": ""})
    assert {fault.place for fault in refused.value.faults} >= {"oops", "mount", "mib_max", "older_than_h"}
