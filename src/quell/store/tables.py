"""Every table, declared once; times are given by the caller, never by the database."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


class Xid8(UserDefinedType[str]):
    """PostgreSQL's transaction id that never wraps round: readers of the log go by it."""

    cache_ok = True

    def get_col_spec(self, **kw: object) -> str:
        """The column's type in SQL."""
        return "xid8"


def _id(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, Identity(always=False), primary_key=True)


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _json(name: str, default: str | None = None) -> Column[object]:
    given = text(f"'{default}'::jsonb") if default else None
    return Column(name, JSONB, nullable=False, server_default=given)


def _at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False)


def _maybe_at(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _ref(name: str, target: str, *, needed: bool = True, index: bool = False) -> Column[int]:
    return Column(name, BigInteger, ForeignKey(target), nullable=not needed, index=index)


# The log ------------------------------------------------------------------------------------------------------------

event = Table(
    "event",
    metadata,
    _id(),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("stream", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    _at("at"),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("stream", "seq"),
    Index("event_xid_id_index", "xid", "id"),
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("bucket", SmallInteger, nullable=False, index=True),
)

checkpoint_bucket = Table(
    "checkpoint_bucket",
    metadata,
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("heads", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    _id(),
    _at("at"),
    Column("root", LargeBinary, nullable=False),
    Column("heads", Integer, nullable=False),
    Column("below_xid", Xid8, nullable=False),
    Column("changed", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

content = Table(
    "content",
    metadata,
    _id(),
    Column("salt", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary),
    Column("media_type", Text, nullable=False),
    Column("person", BigInteger, index=True),
    _maybe_at("erased_at"),
)

# The company --------------------------------------------------------------------------------------------------------

company = Table("company", metadata, Column("id", Integer, primary_key=True), _json("document"), _at("loaded_at"))

site = Table(
    "site",
    metadata,
    Column("key", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("name", Text, nullable=False),
    _json("aliases", "[]"),
)

team = Table("team", metadata, Column("key", Text, primary_key=True), _text("name", None), _text("handles"))

service = Table(
    "service",
    metadata,
    Column("key", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("name", Text, nullable=False),
    _text("description"),
    _json("aliases", "[]"),
    Column("criticality", Integer, nullable=False),
    Column("owner", Text, ForeignKey("team.key")),
)

category = Table(
    "category",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _text("description"),
    Column("team", Text, ForeignKey("team.key")),
    _text("ceiling", "suggest"),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("organisation", Text, nullable=False),
    Column("name", Text),
    Column("email", Text, unique=True),
    _text("department"),
    _text("title"),
    Column("site", Text),
    Column("vip", Boolean, nullable=False, server_default=text("false")),
    Column("known_from", Text, nullable=False),
    _maybe_at("erased_at"),
)

person_address = Table(
    "person_address",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    _ref("person", "person.id", index=True),
)

device = Table(
    "device",
    metadata,
    _id(),
    Column("organisation", Text, nullable=False),
    Column("hostname", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    _text("os"),
    Column("site", Text),
    _ref("owner", "person.id", needed=False),
    Column("public_key", LargeBinary),
    Column("status", JSONB),
    Column("ledger", JSONB),
    Column("agent_version", Text),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    _maybe_at("enrolled_at"),
    _maybe_at("revoked_at"),
    _maybe_at("seen_at"),
)

enrol_token = Table(
    "enrol_token",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _at("made_at"),
    _at("expires_at"),
    _maybe_at("used_at"),
    _ref("device", "device.id", needed=False),
)

device_nonce = Table(
    "device_nonce",
    metadata,
    Column("device", BigInteger, ForeignKey("device.id"), primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
)

# Intake -------------------------------------------------------------------------------------------------------------

channel = Table(
    "channel",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False, index=True),
    _json("settings", "{}"),
    Column("organisation", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _json("state", "{}"),
    _at("made_at"),
    _maybe_at("heard_at"),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    Column("channel", Text, ForeignKey("channel.key"), nullable=False),
    Column("source_key", Text, nullable=False),
    _at("received_at"),
    _json("hook"),
    Column("body", LargeBinary, nullable=False),
    _text("state", "waiting"),
    _text("says"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _maybe_at("read_at"),
    Column("person", BigInteger, index=True),
    UniqueConstraint("channel", "source_key"),
    Index("delivery_unread_index", "id", postgresql_where=text("state <> 'read'")),
)

refusal = Table(
    "refusal",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    _at("last_at"),
)

report = Table(
    "report",
    metadata,
    _id("number"),
    Column("organisation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("channel_key", Text, ForeignKey("channel.key"), nullable=False),
    _ref("person", "person.id", needed=False, index=True),
    _ref("device", "device.id", needed=False, index=True),
    Column("identity", Text),
    _json("labels", "{}"),
    Column("service", Text),
    Column("site", Text),
    Column("kind", Text),
    _json("route", "{}"),
    _json("muted", "[]"),
    Column("trusted", Boolean, nullable=False, server_default=text("true")),
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("ticket", BigInteger, index=True),
    Column("follows", BigInteger),
    _at("at"),
    _maybe_at("over_at"),
    Index("report_identity_index", "channel_key", "identity", "at"),
    Index("report_at_index", "at"),
)

report_key = Table(
    "report_key",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _ref("report", "report.number", index=True),
)

message = Table(
    "message",
    metadata,
    _id(),
    _ref("report", "report.number", index=True),
    Column("direction", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _ref("person", "person.id", needed=False),
    _ref("subject", "content.id", needed=False),
    _ref("text", "content.id", needed=False),
    _ref("full_text", "content.id", needed=False),
    Column("kind", Text),
    Column("source_key", Text),
    _at("at"),
    UniqueConstraint("report", "source_key"),
    Index("message_source_key_index", "source_key"),
)

attachment = Table(
    "attachment",
    metadata,
    _id(),
    _ref("message", "message.id", index=True),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    _ref("content", "content.id"),
)

# Tickets ------------------------------------------------------------------------------------------------------------

ticket = Table(
    "ticket",
    metadata,
    _id("number"),
    Column("organisation", Text, nullable=False),
    Column("report", BigInteger, ForeignKey("report.number"), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    _json("folded"),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("noise", Boolean, nullable=False),
    Column("joined_to", BigInteger),
    Column("root", BigInteger, nullable=False, index=True),
    Column("maybe_into", BigInteger),
    Column("announced", Text),
    Column("category", Text),
    Column("owner", Text),
    Column("assignee", Text),
    Column("priority", Text),
    _json("shown", "{}"),
    Column("other", JSONB),
    Column("needs_yes", Boolean, nullable=False, server_default=text("false")),
    Column("sure", Float),
    Column("reports", Integer, nullable=False),
    Column("reporters", Integer, nullable=False),
    Column("machines", Integer, nullable=False),
    Column("sites", Integer, nullable=False),
    Column("paused_s", Float, nullable=False, server_default="0"),
    _at("opened_at"),
    _at("changed_at"),
    _at("heard_at"),
    _maybe_at("first_answer_due"),
    _maybe_at("due_at"),
    _text("due_because"),
    # How the queue sorts: 0 an incident, 1 waits for a yes, 2 in hand, 3 waits for somebody; then by what is due next.
    Column(
        "rank",
        SmallInteger,
        Computed(
            "CASE WHEN reports >= 3 THEN 0 WHEN needs_yes THEN 1 WHEN status = 'waiting'::text THEN 3 ELSE 2 END",
            persisted=True,
        ),
    ),
    Column(
        "sort_due",
        DateTime(timezone=True),
        Computed(
            "COALESCE(CASE WHEN (folded ->> 'first_answer'::text) IS NULL THEN LEAST(first_answer_due, due_at)"
            " ELSE due_at END, '9999-01-01 00:00:00+00'::timestamp with time zone)",
            persisted=True,
        ),
    ),
    Index(
        "ticket_desk_index",
        "rank",
        "sort_due",
        "number",
        postgresql_include=["reports", "owner", "assignee"],
        postgresql_where=text("open AND joined_to IS NULL"),
    ),
    Index("ticket_ended_index", "changed_at", postgresql_where=text("NOT open AND NOT noise AND joined_to IS NULL")),
    Index("ticket_joined_to_index", "joined_to", postgresql_where=text("joined_to IS NOT NULL")),
    Index("ticket_queue_index", "due_at", "number", postgresql_where=text("open AND joined_to IS NULL")),
    Index("ticket_heard_index", "heard_at", postgresql_where=text("joined_to IS NULL")),
    Index("ticket_maybe_into_index", "maybe_into", postgresql_where=text("maybe_into IS NOT NULL")),
)

proposal = Table(
    "proposal",
    metadata,
    _id(),
    _ref("ticket", "ticket.number", index=True),
    _ref("report", "report.number"),
    Column("field", Text, nullable=False),
    Column("value", Text),
    Column("confidence", Float, nullable=False),
    _json("reasons", "[]"),
    _json("ranked", "[]"),
    Column("sure", Float, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text),
    _at("at"),
    _maybe_at("decided_at"),
)

correction = Table(
    "correction",
    metadata,
    _id(),
    _ref("message", "message.id"),
    _ref("report", "report.number", index=True),
    _json("said"),
    Column("actor", Text, nullable=False),
    _at("at"),
)

decision = Table(
    "decision",
    metadata,
    _id(),
    _ref("ticket", "ticket.number", index=True),
    _ref("report", "report.number"),
    Column("field", Text, nullable=False),
    Column("value", Text),
    Column("confidence", Float, nullable=False),
    Column("applied", Boolean, nullable=False),
    Column("audit", Boolean, nullable=False, server_default=text("false")),
    Column("right", Boolean),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    _at("at"),
    _maybe_at("checked_at"),
    Index("decision_checked_index", "field", "checked_at", postgresql_where=text('"right" IS NOT NULL')),
)

gate = Table(
    "gate",
    metadata,
    Column("field", Text, primary_key=True),
    Column("open", Boolean, nullable=False),
    Column("threshold", Float),
    _json("evidence", "{}"),
    Column("version", Text, nullable=False),
    _at("at"),
)

evidence = Table(
    "evidence",
    metadata,
    _id(),
    _ref("ticket", "ticket.number", index=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    _json("body"),
    Column("link", Text),
    _at("observed_at"),
    _at("at"),
)

# Fixes --------------------------------------------------------------------------------------------------------------

fix = Table(
    "fix",
    metadata,
    _id(),
    _ref("ticket", "ticket.number", index=True),
    _ref("device", "device.id"),
    Column("action", Text, nullable=False),
    _json("params", "{}"),
    Column("state", Text, nullable=False),
    _json("reasons", "[]"),
    Column("plan", JSONB),
    Column("plan_hash", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    _text("says"),
    Column("proposed_by", Text, nullable=False),
    _at("at"),
    _at("changed_at"),
)

consent = Table(
    "consent",
    metadata,
    _id(),
    _ref("fix", "fix.id", index=True),
    Column("plan_hash", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _at("at"),
    _at("expires_at"),
    _maybe_at("withdrawn_at"),
)

fix_order = Table(
    "fix_order",
    metadata,
    _id(),
    _ref("fix", "fix.id", needed=False, index=True),
    _ref("ticket", "ticket.number", needed=False),
    _ref("device", "device.id"),
    Column("kind", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("nonce", Text, nullable=False, unique=True),
    Column("envelope", LargeBinary, nullable=False),
    _text("state", "waiting"),
    Column("result", JSONB),
    _at("issued_at"),
    _at("expires_at"),
    _maybe_at("taken_at"),
    _maybe_at("answered_at"),
    UniqueConstraint("device", "sequence"),
    Index("fix_order_waiting_index", "device", "sequence", postgresql_where=text("state = 'waiting'")),
)

# Close and doors ----------------------------------------------------------------------------------------------------

told = Table(
    "told",
    metadata,
    _id(),
    _ref("report", "report.number"),
    Column("what", Text, nullable=False),
    Column("ticket", BigInteger, nullable=False),
    _ref("message", "message.id", needed=False),
    _text("state", "waiting"),
    _text("says"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _at("at"),
    _maybe_at("sent_at"),
    UniqueConstraint("report", "what"),
)

undo = Table(
    "undo",
    metadata,
    Column("token", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    _json("steps"),
    _at("at"),
    _maybe_at("used_at"),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    _at("made_at"),
    _maybe_at("used_at"),
    _maybe_at("revoked_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("answer", LargeBinary),
    _at("at"),
)

# People who sign in -------------------------------------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text),
    _at("made_at"),
    _maybe_at("blocked_at"),
)

web_session = Table(
    "web_session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _ref("account", "account.id", index=True),
    _at("opened_at"),
    _at("seen_at"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("role", Text, nullable=False),
    _text("email"),
    Column("first_run", Boolean, nullable=False, server_default=text("false")),
    _at("made_at"),
    _at("expires_at"),
    _maybe_at("used_at"),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    _id(),
    Column("key", Text, nullable=False),
    _at("at"),
    Index("sign_in_failure_key_at_index", "key", "at"),
)
