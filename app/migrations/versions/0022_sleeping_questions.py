"""Questions asked before there was a job for it fall asleep, too. The release before goes on."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What has slept for long has its job at once: a page that stands open hears of it.
    op.execute(
        "INSERT INTO job (name, key, run_at, attempts, last_error, created_at) "
        "SELECT 'questions.sleep', room.community_id || '/' || room.id, "
        "max(said.created_at) + interval '720 hours', 0, '', now() "
        "FROM conversation room JOIN message said "
        "ON said.community_id = room.community_id AND said.conversation_id = room.id "
        "WHERE room.question AND said.kind <> 'note' AND said.removed_at IS NULL "
        "GROUP BY room.community_id, room.id ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
