"""What travels between planning, store and jobs: planned batches, claims, what is in the outbox."""

from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from schemas.base import Frozen
from schemas.events import Event
from schemas.states import BatchState, Difficulty, Priority, QuestionType


class BatchPlan(Frozen):
    """One batch of an order, before it exists."""

    module_id: UUID
    batch_key: str
    question_type: QuestionType
    difficulty: Difficulty | None
    target_count: int


class Tally(Frozen):
    """What a decision about a generation needs to know of one of its batches."""

    batch_key: str
    state: BatchState
    target_count: int
    saved_count: int
    held_count: int


class Place(NamedTuple):
    """A batch as a job knows it: under another fence it is not the job's any more."""

    batch_id: UUID
    fence: int


class Claim(Frozen):
    """A batch in the hands of one worker. `fence` goes into every write about it."""

    batch_id: UUID
    generation_id: UUID
    quiz_id: UUID
    module_id: UUID
    owner: str
    priority: Priority
    batch_key: str
    question_type: QuestionType
    difficulty: Difficulty | None
    language: str
    instructions: str
    model: str | None
    cost_max_usd: float | None = None
    target_count: int
    held_count: int
    fence: int
    worker: str
    run: int
    number: int
    run_attempt: int
    lane: int
    lanes: int


class WantedBatch(Frozen):
    """A batch that must be in the queue. `place` counts what its owner asked for before it and has not begun yet."""

    batch_id: UUID
    fence: int
    priority: Priority
    requested_at: datetime
    place: int = 0
    is_begun: bool = False


class Wakeup(Frozen):
    """A generation whose log grew, and how far. `events`: its newest, without a gap, so that nobody need look."""

    generation_id: UUID
    seq: int
    events: tuple[Event, ...] = ()

    def merged(self, other: Self) -> Self:
        """Both in one, whichever came first."""
        older, newer = sorted((self, other), key=lambda wakeup: wakeup.seq)
        is_whole = bool(older.events and newer.events) and newer.events[0].seq == older.seq + 1
        return newer.model_copy(update={"events": older.events + newer.events}) if is_whole else newer
