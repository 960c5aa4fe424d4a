"""The signed links of the help page."""

import pytest

from quell.core.errors import Refused
from quell.core.portal_link import portal_path, read_key

SECRET = b"s" * 32


def test_a_portal_link_opens_its_own_report_and_no_other() -> None:
    key = portal_path(SECRET, 4127).rpartition("/")[2]
    assert read_key(SECRET, key) == 4127
    for wrong in ("", "x", key[:-2] + "AA", key + "AAAA", portal_path(b"t" * 32, 4127).rpartition("/")[2], "é" * 20):
        with pytest.raises(Refused) as refused:
            read_key(SECRET, wrong)
        assert refused.value.status == 404
