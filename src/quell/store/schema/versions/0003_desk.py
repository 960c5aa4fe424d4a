"""How the queue sorts, as columns that the database keeps, with the index that reads it in order."""

from alembic import op
from sqlalchemy import Column, Computed, DateTime, SmallInteger, text

revision = "0003"
down_revision = "0002"

RANK = "CASE WHEN reports >= 3 THEN 0 WHEN needs_yes THEN 1 WHEN status = 'waiting'::text THEN 3 ELSE 2 END"
SORT_DUE = (
    "COALESCE(CASE WHEN (folded ->> 'first_answer'::text) IS NULL THEN LEAST(first_answer_due, due_at)"
    " ELSE due_at END, '9999-01-01 00:00:00+00'::timestamp with time zone)"
)


def upgrade() -> None:
    """Add the two columns and the indexes of the queue page."""
    op.add_column("ticket", Column("rank", SmallInteger(), Computed(RANK, persisted=True)))
    op.add_column("ticket", Column("sort_due", DateTime(timezone=True), Computed(SORT_DUE, persisted=True)))
    op.create_index(
        "ticket_desk_index",
        "ticket",
        ["rank", "sort_due", "number"],
        postgresql_include=["reports", "owner", "assignee"],
        postgresql_where=text("open AND joined_to IS NULL"),
    )
    op.create_index(
        "ticket_ended_index",
        "ticket",
        ["changed_at"],
        postgresql_where=text("NOT open AND NOT noise AND joined_to IS NULL"),
    )


def downgrade() -> None:
    """There is no way back but a backup."""
    raise NotImplementedError
