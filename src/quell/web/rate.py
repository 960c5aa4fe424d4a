"""A limit on how often one sender may call in a while; kept in this process, which is enough to keep it standing."""

from collections import OrderedDict

from quell.core.errors import Refused

SENDERS_MAX = 10_000


class Rate:
    """A bucket for each sender: `burst` calls at once, `per_s` more each second."""

    def __init__(self, burst: int, per_s: float) -> None:
        """Every bucket begins full."""
        self._burst = burst
        self._per_s = per_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str, now_s: float) -> None:
        """Take one call; Refused (429) with the seconds to wait when the bucket is empty."""
        left, at = self._buckets.pop(sender, (float(self._burst), now_s))
        left = min(self._burst, left + (now_s - at) * self._per_s)
        if left < 1:
            self._buckets[sender] = (left, now_s)
            wait = max(1, round((1 - left) / self._per_s))
            raise Refused("too many calls, please slow down", 429, "too_many", retry_after_s=wait)
        self._buckets[sender] = (left - 1, now_s)
        while len(self._buckets) > SENDERS_MAX:
            self._buckets.popitem(last=False)
