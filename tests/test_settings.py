"""The environment is read once: defaults, bounds, every fault at a time, and no secret in a message."""

from pathlib import Path

import pytest

from quell.core.errors import Refused
from quell.settings import read


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read({})
    assert settings.home == Path.cwd() / ".quell"
    assert settings.database_url is None and settings.llm_url is None
    assert (settings.bind, settings.port, settings.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert settings.smtp_port is settings.lmtp_port is settings.syslog_port is None
    assert (settings.log, settings.workers, settings.unknown) == ("info", 4, ())


def test_an_empty_value_is_the_same_as_none() -> None:
    assert read({"QUELL_PORT": "", "QUELL_LLM_URL": " "}) == read({})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_is_named_in_any_usual_spelling(scheme: str) -> None:
    assert read({"QUELL_DATABASE_URL": f"{scheme}://q:s@db/quell"}).database_url == "postgresql+psycopg://q:s@db/quell"


def test_a_database_behind_a_socket_needs_no_host() -> None:
    url = read({"QUELL_DATABASE_URL": "postgresql:///quell?host=/run/postgresql"}).database_url
    assert url == "postgresql+psycopg:///quell?host=/run/postgresql"


@pytest.mark.parametrize(
    ("bind", "says"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.5", "10.0.0.5")]
)
def test_the_public_address_follows_what_is_listened_on(bind: str, says: str) -> None:
    assert read({"QUELL_BIND": bind, "QUELL_PORT": "9000"}).public_url == f"http://{says}:9000"


def test_a_public_address_that_is_given_wins_and_loses_its_last_slash() -> None:
    assert read({"QUELL_PUBLIC_URL": "https://help.example.org/"}).public_url == "https://help.example.org"


def test_every_fault_is_told_at_once() -> None:
    wrong = {
        "QUELL_PORT": "70000",
        "QUELL_SMTP_PORT": "-1",
        "QUELL_LOG": "loud",
        "QUELL_WORKERS": "0",
        "QUELL_LLM_URL": "x",
    }
    with pytest.raises(Refused) as refused:
        read(wrong)
    assert {fault.place for fault in refused.value.faults} == set(wrong)


def test_a_password_is_neither_shown_nor_repeated_in_a_fault() -> None:
    assert "hush" not in repr(read({"QUELL_DATABASE_URL": "postgresql://q:hush@db/quell"}))
    with pytest.raises(Refused) as refused:
        read({"QUELL_DATABASE_URL": "mysql://q:hush@db/quell"})
    assert "hush" not in str(refused.value)


def test_a_name_that_looks_like_ours_and_is_not_is_told() -> None:
    assert read({"QUELL_PROT": "9000", "PATH": "/bin", "QUELL_SHARED_DATA": "/data"}).unknown == ("QUELL_PROT",)
