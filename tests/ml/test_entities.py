"""Names of the company in a message."""

from collections.abc import Callable

from quell.core.company import Company
from quell.core.reading import Message
from quell.ml.entities import Gazetteer

Say = Callable[..., Message]


def test_sites_services_persons_and_hosts_are_found_by_name_and_alias(company: Company, message: Say) -> None:
    found = Gazetteer(company).find(message(1, "Outlook hangs on lt-001 at HQ, Bob Birch has it too. Order 44719."))
    assert found.services == {"mail"}
    assert found.sites == {"hq"}
    assert found.persons == {"bob@small.example"}
    assert "lt-001" in found.hosts
    assert "44719" in found.numbers
    assert found.sender_site == "hq"


def test_a_short_name_in_capitals_is_not_found_in_small_letters(company: Company, message: Say) -> None:
    assert not Gazetteer(company).find(message(1, "the hq of patience")).sites


def test_the_name_before_a_bracket_is_a_name(company: Company, message: Say) -> None:
    assert Gazetteer(company).find(message(1, "ledgerly is slow")).services == {"erp"}


def test_labels_name_service_site_and_host(company: Company, message: Say) -> None:
    alert = message(
        1,
        "down",
        sender=None,
        channel="alertmanager",
        labels={"service": "wifi", "site": "depot", "instance": "ap-hq-1:9100"},
    )
    found = Gazetteer(company).find(alert)
    assert found.label_services == {"wifi"}
    assert found.label_sites == {"depot"}
    assert found.label_hosts == {"ap-hq-1"}


def test_staging_is_seen_in_labels_and_words_but_not_in_a_restart_of_a_test(company: Company, message: Say) -> None:
    names = Gazetteer(company)
    assert names.find(message(1, "x", sender=None, channel="alertmanager", labels={"env": "staging"})).staging
    assert names.find(message(1, "deploy to staging fails")).staging
    assert not names.find(message(1, "the test printout is pale")).staging
