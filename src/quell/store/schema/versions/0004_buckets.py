"""Chains spread over buckets, so that a checkpoint looks only at those whose chains have moved."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# The first twelve bits of the name's SHA-256, as quell.core.merkle counts them.
BUCKET = "get_byte(sha256(convert_to(stream, 'UTF8')), 0) * 16 + get_byte(sha256(convert_to(stream, 'UTF8')), 1) / 16"


def upgrade() -> None:
    """Give each chain its bucket; the trees of the buckets are filled by the next checkpoint."""
    op.add_column("chain_head", sa.Column("bucket", sa.SmallInteger()))
    op.execute(f"UPDATE chain_head SET bucket = {BUCKET}")
    op.alter_column("chain_head", "bucket", nullable=False)
    op.create_index("chain_head_bucket_index", "chain_head", ["bucket"])
    op.create_table(
        "checkpoint_bucket",
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="checkpoint_bucket_pkey"),
    )


def downgrade() -> None:
    """There is no way back but a backup."""
    raise NotImplementedError
