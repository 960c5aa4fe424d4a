"""Clear cache: a program's cache on one device is emptied, by the name under which the device's policy lists it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quell.actions._parameters import MIB, Parameters
from quell.wire.steps import CacheSize, ClearCache, HttpAnswers, ServiceRuns, Step

MIB_DEFAULT = 2_048
MIB_MOST = 20_480
LEFT_MIB_DEFAULT = 16

PARAMETERS: Mapping[str, str] = {
    "cache": "a cache that the device's policy lists, such as `firefox`; needed",
    "mib_max": f"delete at most so many MiB: 1 to {MIB_MOST}, default {MIB_DEFAULT}",
    "left_mib_max": f"the check passes when at most so many MiB are left: 0 to {MIB_MOST}, default {LEFT_MIB_DEFAULT}",
    "service": "a service that must run afterwards; none without it",
    "url": "an http address on the device itself that must answer afterwards; none without it",
}


@dataclass(frozen=True)
class ClearACache:
    """What was cached is gone for good; programs fetch it again when they need it."""

    name: str = "clear_cache"
    risk: str = "medium"
    parameters: Mapping[str, str] = field(default_factory=lambda: PARAMETERS)

    def plan(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """Delete the files in the cache, oldest first, up to the bound."""
        given = Parameters(self.name, params, self.parameters)
        cache, mib = given.needed("cache"), given.number("mib_max", MIB_DEFAULT, 1, MIB_MOST)
        planned = given.steps(lambda: ClearCache(cache, mib * MIB))
        self.check(params)
        return planned

    def check(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """The cache is small, and what was named beside it works."""
        given = Parameters(self.name, params, self.parameters)
        cache, left = given.needed("cache"), given.number("left_mib_max", LEFT_MIB_DEFAULT, 0, MIB_MOST)
        service, url = given.text("service"), given.text("url")
        return given.steps(
            lambda: CacheSize(cache, left * MIB),
            lambda: ServiceRuns(service) if service else None,
            lambda: HttpAnswers(url) if url else None,
        )

    def undo(self, params: Mapping[str, str]) -> tuple[Step, ...] | None:
        """No way back: deleted is deleted."""
        return None


ACTION = ClearACache()
