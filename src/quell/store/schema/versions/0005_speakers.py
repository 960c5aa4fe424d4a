"""Whose words a raw delivery holds, so that erasing a person erases those, too."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; what was read before is found by the messages that it became."""
    op.add_column("delivery", sa.Column("person", sa.BigInteger()))
    op.create_index("delivery_person_index", "delivery", ["person"])
    op.execute(
        "UPDATE delivery SET person = message.person FROM message JOIN report ON report.number = message.report"
        " WHERE message.source_key = delivery.source_key AND report.channel_key = delivery.channel"
        " AND message.person IS NOT NULL"
    )


def downgrade() -> None:
    """There is no way back but a backup."""
    raise NotImplementedError
