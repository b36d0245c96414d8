"""The tables, with everything the database itself can hold true. Migrations create them (migrations/versions)."""

from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa

from schemas.calls import CallOutcome
from schemas.states import BatchState, GenerationState, MaterialState, PublicationState, QuestionState, Review
from service.store.database import Timestamp

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[UUID]:
    return sa.Column("id", sa.Uuid, primary_key=True)


def _owned_by(table: str, column: str) -> sa.Column[UUID]:
    return sa.Column(column, sa.Uuid, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def _one_of(column: str, states: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(state)) for state in states)})"


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


quizzes = sa.Table(
    "quizzes",
    metadata,
    _id(),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("failure_reason", sa.Text),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Index(None, "owner", "created_at", "id"),
)

materials = sa.Table(
    "materials",
    metadata,
    _id(),
    _owned_by("quizzes", "quiz_id"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("error_message", sa.Text),
    # Extractions begun: a file that takes its worker down is not tried for ever.
    _count("tries"),
    # How far the reading is: page 12 of 113.
    _count("page"),
    _count("pages"),
    # What looking at its pictures has cost; it belongs to no generation.
    _count("llm_calls"),
    _count("input_tokens"),
    _count("output_tokens"),
    sa.Column("cost_usd", sa.Double, nullable=False, server_default="0"),
    # Set = an extraction must be in the queue (outbox).
    sa.Column("wanted_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.UniqueConstraint("quiz_id", "position"),
    sa.CheckConstraint(_one_of("state", MaterialState), name="state_known"),
    sa.Index(None, "wanted_at"),
)

modules = sa.Table(
    "modules",
    metadata,
    _id(),
    _owned_by("quizzes", "quiz_id"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    # SHA-256 of the text, hex: modules of the same text share their topics.
    sa.Column("content_hash", sa.Text),
    # Orders pass over it.
    sa.Column("is_left_out", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("quiz_id", "position"),
)

# What modules of one owner, text and language are about, and the work of identifying that.
topics = sa.Table(
    "topics",
    metadata,
    _id(),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("method", sa.Integer, nullable=False),
    # The module whose text is read.
    _owned_by("modules", "module_id"),
    sa.Column("topics", sa.JSON(none_as_null=True)),
    sa.Column("identified_at", Timestamp),
    # Raised by every claim; every write of a job carries it.
    _count("fence"),
    # Claims since it was last wanted: a text that takes its workers down is not tried for ever.
    _count("tries"),
    sa.Column("lease_until", Timestamp),
    # Set = to be identified, and to be in the queue by then (outbox).
    sa.Column("wanted_at", Timestamp),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    # Over all calls so far; it belongs to no generation.
    _count("llm_calls"),
    _count("wasted_calls"),
    _count("input_tokens"),
    _count("output_tokens"),
    _count("cache_read_tokens"),
    sa.Column("cost_usd", sa.Double, nullable=False, server_default="0"),
    sa.UniqueConstraint("owner", "content_hash", "language", "method"),
    sa.CheckConstraint("(topics IS NULL) = (identified_at IS NULL)", name="identified_has_time"),
    sa.CheckConstraint("lease_until IS NULL OR wanted_at IS NOT NULL", name="leased_is_wanted"),
    sa.CheckConstraint("wanted_at IS NULL OR error_code IS NULL", name="wanted_has_not_failed"),
    sa.CheckConstraint("(error_code IS NULL) = (error_message IS NULL)", name="failed_has_message"),
    sa.Index(None, "wanted_at"),
)

generations = sa.Table(
    "generations",
    metadata,
    _id(),
    _owned_by("quizzes", "quiz_id"),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("entity_type", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("instructions", sa.Text, nullable=False),
    sa.Column("model", sa.Text),
    # What all its calls together may cost in US dollars; none = any.
    sa.Column("cost_max_usd", sa.Double),
    # The question, as it was then, that what is made here takes the place of.
    sa.Column("replaces_id", sa.Uuid),
    sa.Column("replaces_version", sa.Integer),
    # Which run this is: 1 for the order, one more per retry.
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("requested_at", Timestamp, nullable=False),
    # Since when the current run works; a retry sets it anew.
    sa.Column("active_since", Timestamp),
    sa.Column("started_at", Timestamp),
    sa.Column("completed_at", Timestamp),
    sa.CheckConstraint(_one_of("state", GenerationState), name="state_known"),
    sa.CheckConstraint(
        "(completed_at IS NOT NULL) = (state IN ('completed', 'partial', 'failed', 'cancelled'))",
        name="ended_when_terminal",
    ),
    sa.Index(None, "owner", "requested_at", "id"),
    sa.Index(None, "quiz_id"),
    sa.Index(None, "state"),
)

batches = sa.Table(
    "batches",
    metadata,
    _id(),
    _owned_by("generations", "generation_id"),
    _owned_by("modules", "module_id"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("batch_key", sa.Text, nullable=False),
    sa.Column("question_type", sa.Text, nullable=False),
    sa.Column("difficulty", sa.Text),
    sa.Column("target_count", sa.Integer, nullable=False),
    _count("saved_count"),
    _count("held_count"),
    sa.Column("state", sa.Text, nullable=False),
    # The model of a retry that asked for another one.
    sa.Column("model", sa.Text),
    # Raised by every claim and every step out of `processing`; every write of a job carries it.
    _count("fence"),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", Timestamp),
    # Tries so far; those of this run that count against GENERATION_RETRIES_MAX; workers lost in a row without progress.
    _count("attempts"),
    _count("run_attempts"),
    _count("losses"),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("not_before", Timestamp),
    # Set = must be in the queue by then (outbox).
    sa.Column("wanted_at", Timestamp),
    sa.UniqueConstraint("generation_id", "batch_key"),
    sa.UniqueConstraint("generation_id", "position"),
    sa.CheckConstraint(_one_of("state", BatchState), name="state_known"),
    sa.CheckConstraint("state <> 'completed' OR saved_count = target_count", name="completed_is_whole"),
    sa.CheckConstraint("state = 'completed' OR saved_count = 0", name="saved_is_completed"),
    sa.CheckConstraint("held_count >= 0 AND held_count + saved_count <= target_count", name="counts_fit"),
    sa.CheckConstraint("(state = 'processing') = (lease_owner IS NOT NULL)", name="leased_when_processing"),
    sa.CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease_has_end"),
    sa.CheckConstraint("wanted_at IS NULL OR state = 'pending'", name="wanted_is_pending"),
    sa.CheckConstraint("(state = 'failed') = (error_code IS NOT NULL)", name="failed_has_reason"),
    sa.Index(None, "state", "wanted_at"),
    sa.Index(None, "state", "lease_until"),
)

questions = sa.Table(
    "questions",
    metadata,
    # Grows with every question, so that "what came since" is one comparison.
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Uuid, unique=True, nullable=False),
    _owned_by("quizzes", "quiz_id"),
    _owned_by("generations", "generation_id"),
    _owned_by("batches", "batch_id"),
    _owned_by("modules", "module_id"),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("question_type", sa.Text, nullable=False),
    sa.Column("difficulty", sa.Text),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("evidence_quote", sa.Text, nullable=False),
    sa.Column("evidence_start", sa.Integer, nullable=False),
    sa.Column("evidence_end", sa.Integer, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("cognitive_level", sa.Text, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("flaws", sa.JSON, nullable=False),
    sa.Column("quality", sa.Double, nullable=False),
    # What decides whether another question is the same (jobs/checks.py).
    sa.Column("fingerprint_text", sa.Text, nullable=False),
    sa.Column("fingerprint_key", sa.Text, nullable=False),
    sa.Column("fingerprint_hash", sa.Text, nullable=False),
    sa.Column("review", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    # Set = nobody sees it any more; it stays one of its batch.
    sa.Column("replaced_by", sa.Uuid),
    # The claim under which it was held.
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("generated_at", Timestamp, nullable=False),
    sa.UniqueConstraint("batch_id", "slot"),
    sa.UniqueConstraint("generation_id", "fingerprint_hash"),
    sa.CheckConstraint(_one_of("state", QuestionState), name="state_known"),
    sa.CheckConstraint(_one_of("review", Review), name="review_known"),
    sa.CheckConstraint("slot >= 0", name="slot_counts_from_zero"),
    sa.Index(None, "quiz_id", "number"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _id(),
    _owned_by("generations", "generation_id"),
    _owned_by("batches", "batch_id"),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("error_code", sa.Text),
    sa.Column("error_message", sa.Text),
    sa.Column("started_at", Timestamp, nullable=False),
    sa.Column("ended_at", Timestamp),
    sa.UniqueConstraint("batch_id", "fence"),
    sa.Index(None, "generation_id", "run"),
)

# Whatever an attempt asked of a model. The key makes it harmless to write one twice.
calls = sa.Table(
    "calls",
    metadata,
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    # The attempt's.
    sa.Column("fence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _owned_by("generations", "generation_id"),
    sa.Column("model", sa.Text, nullable=False),
    _count("input_tokens"),
    _count("output_tokens"),
    _count("cache_read_tokens"),
    _count("cache_write_tokens"),
    # None = the price of the model is unknown.
    sa.Column("cost_usd", sa.Double),
    sa.Column("seconds", sa.Double, nullable=False),
    _count("accepted_count"),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("is_hedge", sa.Boolean, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.CheckConstraint(_one_of("outcome", CallOutcome), name="outcome_known"),
    sa.CheckConstraint("accepted_count = 0 OR outcome = 'accepted'", name="accepted_is_no_waste"),
    sa.CheckConstraint("cost_usd >= 0", name="cost_is_no_gain"),
    sa.CheckConstraint("number > 0", name="number_counts_from_one"),
    sa.Index(None, "generation_id"),
    sa.Index(None, "at"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column(
        "generation_id", sa.Uuid, sa.ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    # The JSON line a client gets.
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.CheckConstraint("seq > 0", name="seq_counts_from_one"),
)

# A quiz on its way into a course in Canvas. The token for it is never here (service/canvas_tokens.py).
publications = sa.Table(
    "publications",
    metadata,
    _id(),
    _owned_by("quizzes", "quiz_id"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("canvas_url", sa.Text, nullable=False),
    sa.Column("course_id", sa.Text, nullable=False),
    # Finds its quiz in Canvas; a publication that goes on with the work of a failed one has the same.
    sa.Column("marker", sa.Uuid, nullable=False),
    sa.Column("canvas_quiz_id", sa.BigInteger),
    # Chosen when it was ordered, in the order in which they are asked.
    sa.Column("question_ids", sa.JSON, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False),
    _count("sent_count"),
    # How many saved questions the quiz had when it was ordered: more of them want a review.
    _count("saved_count"),
    # Raised by every claim; every write of a job carries it.
    _count("fence"),
    # Claims since something was sent: what takes its workers down is not tried for ever.
    _count("tries"),
    sa.Column("lease_until", Timestamp),
    # Set = to be sent, and to be in the queue by then (outbox).
    sa.Column("wanted_at", Timestamp),
    sa.Column("error_message", sa.Text),
    sa.Column("requested_at", Timestamp, nullable=False),
    sa.Column("ended_at", Timestamp),
    sa.CheckConstraint(_one_of("state", PublicationState), name="state_known"),
    sa.CheckConstraint("(state = 'exporting') = (ended_at IS NULL)", name="ended_has_time"),
    sa.CheckConstraint("(state = 'exporting') = (wanted_at IS NOT NULL)", name="exporting_is_wanted"),
    sa.CheckConstraint("lease_until IS NULL OR wanted_at IS NOT NULL", name="leased_is_wanted"),
    sa.CheckConstraint("(state = 'failed') = (error_message IS NOT NULL)", name="failed_has_message"),
    sa.CheckConstraint("state <> 'published' OR canvas_quiz_id IS NOT NULL", name="published_is_in_canvas"),
    sa.Index(None, "quiz_id", "requested_at"),
    sa.Index(None, "wanted_at"),
    # One at a time.
    sa.Index(
        "uq_publications_exporting",
        "quiz_id",
        unique=True,
        sqlite_where=sa.text("state = 'exporting'"),
        postgresql_where=sa.text("state = 'exporting'"),
    ),
)

# Which periodic work ran last: whoever moves `due_at` on does it.
chores = sa.Table(
    "chores",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("due_at", Timestamp, nullable=False),
)
