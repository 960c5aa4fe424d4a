"""The commands, typed as a person types them: what they print, what they keep, and how they refuse."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from quell.cli.main import main
from quell.core.permission import Role
from quell.store import postgres
from quell.store.tokens import digest

SOURCE = str(Path(__file__).parents[2] / "src")
COMPANY = {
    "name": "Brook & Sons",
    "timezone": "Europe/Lisbon",
    "business_hours": {"mon": [["08:00", "17:30"]]},
    "teams": [{"key": "desk", "name": "Desk"}],
    "categories": [{"key": "mail", "name": "Mail", "team": "desk"}],
    "people": [{"email": "ada@brook.example", "name": "Ada"}],
    "motto": "onward",
}
Quell = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def quell(database_url: str, home: Path) -> Quell:
    """Types a command, with the test's own database and home."""

    def typed(*words: str, **environ: str) -> Result:
        settings = {"QUELL_DATABASE_URL": database_url, "QUELL_HOME": str(home), **environ}
        return CliRunner().invoke(main, words, env=settings, prog_name="quell")

    return typed


@pytest.fixture
def ask(database_url: str) -> Callable[[str], Any]:
    """The first value of the first row."""

    def asked(question: str) -> Any:
        with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
            row = connection.execute(question).fetchone()  # type: ignore[call-overload]
        return row and row[0]

    return asked


def test_a_company_is_loaded_and_what_is_unknown_is_said(quell: Quell, tmp_path: Path, ask: Any) -> None:
    file = tmp_path / "company.json"
    file.write_text(json.dumps(COMPANY))
    done = quell("company", "load", str(file))
    assert done.exit_code == 0, done.output
    assert done.stdout == ("Loaded 0 sites, 0 services, 1 teams, 1 categories, 1 people, 0 devices, 0 actions.\n")
    assert done.stderr == "warning: $: kept but not used: motto\n"
    assert ask("SELECT name FROM person") == "Ada"
    assert ask("SELECT actor FROM event WHERE kind = 'company_loaded'") == "cli"


def test_a_bad_company_file_lists_every_fault_and_loads_nothing(quell: Quell, tmp_path: Path, ask: Any) -> None:
    file = tmp_path / "company.json"
    file.write_text(json.dumps({**COMPANY, "timezone": "nowhere", "people": [{"email": "ada"}]}))
    refused = quell("company", "load", str(file))
    assert refused.exit_code == 2
    assert refused.stdout == ""
    first, *faults = refused.stderr.splitlines()
    assert first == "quell: the company file has 3 faults; nothing was loaded"
    assert set(faults) == {
        "  people[0].name: must be a text that is not empty",
        "  people[0].email: must be a mail address",
        "  $.timezone: 'nowhere' is no IANA time zone",
    }
    assert ask("SELECT count(*) FROM company") == 0


def test_a_channel_gets_an_address_that_nobody_guesses(quell: Quell, ask: Any) -> None:
    done = quell("channel", "add", "alertmanager", QUELL_PUBLIC_URL="https://help.brook.example")
    assert re.fullmatch(r"https://help\.brook\.example/hooks/alertmanager/[\w-]{24,}\n", done.stdout), done.output
    again = quell("channel", "add", "alertmanager", QUELL_PUBLIC_URL="https://help.brook.example")
    assert again.stdout != done.stdout
    assert ask("SELECT count(*) FROM channel WHERE name = 'alertmanager' AND active") == 2


def test_the_settings_of_a_channel_are_kept_and_its_secrets_are_not_shown(quell: Quell, ask: Any) -> None:
    pairs = ["signing_secret=s3cret=1", "bot_token=xoxb-1"]
    done = quell("channel", "add", "slack", *(word for pair in pairs for word in ("--set", pair)))
    assert done.exit_code == 0, done.output
    assert ask("SELECT settings ->> 'signing_secret' FROM channel WHERE name = 'slack'") == "s3cret=1"
    shown = quell("channel", "list").stdout
    assert "slack" in shown and "signing_secret=(set)" in shown and "nothing heard yet" in shown
    assert "s3cret" not in shown and "xoxb" not in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nosuch",), "there is no channel nosuch; known are"),
        (("slack", "--set", "signing_secret"), "signing_secret: is not KEY=VALUE"),
        (("slack", "--set", "bot_token=a", "--set", "bot_token=b"), "bot_token: is given twice"),
        (("slack",), "signing_secret: is needed"),
        (("email", "--set", "adres=x"), "adres: is not a setting of this channel; known are"),
    ],
)
def test_what_a_channel_cannot_be_set_to_is_refused(quell: Quell, ask: Any, words: tuple[str, ...], says: str) -> None:
    refused = quell("channel", "add", *words)
    assert refused.exit_code == 2 and says in refused.stderr, refused.output
    assert ask("SELECT count(*) FROM channel") == 0


def test_no_channel_is_on_at_first(quell: Quell) -> None:
    assert quell("channel", "list").stdout == "No channel is on yet.\n"


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.AUDITOR])
def test_a_token_is_printed_once_and_kept_as_a_digest(quell: Quell, database_url: str, role: Role) -> None:
    done = quell("token", "create", "--role", str(role), "--name", "robot")
    secret = done.stdout.strip()
    assert done.exit_code == 0 and len(secret) > 40
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT name, role, digest FROM api_token").fetchone()
        dump = str(connection.execute("SELECT body FROM event").fetchall())
    assert row == ("robot", str(role), digest(secret))
    assert secret not in dump


def test_an_unknown_role_is_refused_by_name(quell: Quell) -> None:
    refused = quell("token", "create", "--role", "king")
    assert refused.exit_code == 2 and "technician" in refused.stderr


@pytest.mark.tampers
def test_the_log_is_verified_and_compared(quell: Quell, database_url: str) -> None:
    quell("token", "create", "--role", "auditor")
    quell("channel", "add", "alertmanager")
    done = quell("audit", "verify")
    assert (done.exit_code, done.stdout) == (0, "verified 2 events in 2 streams, 0 checkpoints, 0 erased\n")
    assert quell("audit", "rebuild").stdout == "The tables are what the log says.\n"
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE event SET body = replace(body, 'auditor', 'admin') WHERE kind = 'token_made'")
    found = quell("audit", "verify")
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        "setting token:1, event 1: it was changed after it was written",
        "NOT verified: 1 findings in 2 events in 2 streams, 0 checkpoints, 0 erased",
    ]


def test_without_the_signer_no_device_is_let_in(quell: Quell) -> None:
    later = quell("agent", "token")
    assert (later.exit_code, later.stderr) == (75, "quell: the signer does not answer\n")


def test_the_agent_says_what_is_missing_on_this_device(quell: Quell, tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "quell.cli", "agent", "run", "--home", str(tmp_path / "agent")],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 2 and "not enrolled" in refused.stderr


def test_a_database_that_is_away_is_one_sentence(quell: Quell) -> None:
    away = quell("audit", "verify", QUELL_DATABASE_URL="postgresql://quell:hush@127.0.0.1:1/quell")
    assert away.exit_code == 75 and "the database does not answer" in away.stderr
    assert "hush" not in away.output and "Traceback" not in away.output


def test_wrong_settings_are_named_before_anything_starts(quell: Quell) -> None:
    refused = quell("web", QUELL_PORT="many", QUELL_BINDD="::")
    assert refused.exit_code == 2 and "QUELL_PORT must be a whole number" in refused.stderr
    warned = quell("audit", "verify", QUELL_BINDD="::")
    assert "QUELL_BINDD is not a setting" in warned.stderr and warned.exit_code == 0


def test_help_does_not_wait_for_the_libraries() -> None:
    order = "import sys; from quell.cli.main import main; print('sqlalchemy' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", order], env={**os.environ, "PYTHONPATH": SOURCE}, capture_output=True, text=True
    )
    assert done.stdout == "False False\n", done.stderr


def test_a_backup_comes_back_into_an_empty_place(
    quell: Quell, home: Path, tmp_path: Path, server: postgres.Server, database_url: str
) -> None:
    quell("token", "create", "--role", "auditor", "--name", "robot")
    file = tmp_path / "quell.backup"
    assert quell("backup", str(file)).exit_code == 0
    assert quell("restore", str(file)).exit_code == 2, "the database is in use"
    empty = postgres.create_database(server, "empty").url
    try:
        settings = {"QUELL_DATABASE_URL": empty, "QUELL_HOME": str(tmp_path / "new")}
        done = quell("restore", str(file), **settings)
        assert done.exit_code == 0 and "Now prove it" in done.stdout, done.output
        assert quell("audit", "verify", **settings).stdout.startswith("verified 1 events in 1 streams")
        assert (tmp_path / "new" / "secret.key").read_bytes() == (home / "secret.key").read_bytes()
    finally:
        postgres.drop_database(server, "empty")


def test_the_doctor_says_what_is_well_and_what_is_not(quell: Quell, home: Path) -> None:
    quell("token", "create", "--role", "auditor")
    found = quell("doctor", QUELL_PORT="1", QUELL_BINDD="x")
    lines = {line[6:20].strip(): line[:6].strip() for line in found.stdout.splitlines()}
    assert found.exit_code == 1
    assert lines["database"] == lines["jobs"] == lines["deliveries"] == lines["checkpoints"] == "ok", found.output
    assert lines["signer"] == lines["pages"] == lines["workers"] == lines["settings"] == "WRONG", found.output
    away = quell("doctor", QUELL_DATABASE_URL="postgresql://quell:hush@127.0.0.1:1/quell")
    assert "database      does not answer" in away.stdout and "hush" not in away.output
