"""The events of a generation's log (CONTRACT 5). `Event` is what a client reads as the `data` of one event.

A store function builds the part that the state change knows (a subclass of `Happening`); the log adds number, time and
totals in the same transaction.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from schemas.base import Frozen
from schemas.generations import BatchError
from schemas.states import ErrorCode, GenerationState, PauseReason, RequeueReason


class Totals(Frozen):
    """Sums over a generation's batches after the event."""

    target: int
    saved: int
    held: int
    batches: int
    batches_completed: int
    batches_failed: int


class Happening(Frozen):
    """What one event says beyond its number, time and totals."""

    type: ClassVar[str]


class GenerationStarted(Happening):
    type = "generation.started"


class GenerationPaused(Happening):
    type = "generation.paused"
    reason: PauseReason = PauseReason.USER


class GenerationResumed(Happening):
    type = "generation.resumed"


class BatchStarted(Happening):
    type = "batch.started"
    batch_id: UUID
    batch_key: str
    attempt: int


class QuestionAccepted(Happening):
    type = "question.accepted"
    batch_id: UUID
    held_count: int
    target_count: int
    preview: str


class QuestionRejected(Happening):
    type = "question.rejected"
    batch_id: UUID
    code: str
    message: str


class BatchRetrying(Happening):
    type = "batch.retrying"
    batch_id: UUID
    code: ErrorCode
    delay_seconds: float


class BatchCompleted(Happening):
    type = "batch.completed"
    batch_id: UUID
    batch_key: str
    saved_count: int
    target_count: int


class BatchFailed(Happening):
    type = "batch.failed"
    batch_id: UUID
    batch_key: str
    held_count: int
    target_count: int
    error: BatchError


class BatchRequeued(Happening):
    type = "batch.requeued"
    batch_id: UUID
    batch_key: str
    reason: RequeueReason


class GenerationEnded(Happening):
    """The terminal events."""

    generated_count: int
    requested_count: int
    failed_batches: tuple[str, ...]


class GenerationCompleted(GenerationEnded):
    type = "generation.completed"


class GenerationPartial(GenerationEnded):
    type = "generation.partial"


class GenerationFailed(GenerationEnded):
    type = "generation.failed"


class GenerationCancelled(GenerationEnded):
    type = "generation.cancelled"


ENDINGS: dict[GenerationState, type[GenerationEnded]] = {
    GenerationState.COMPLETED: GenerationCompleted,
    GenerationState.PARTIAL: GenerationPartial,
    GenerationState.FAILED: GenerationFailed,
    GenerationState.CANCELLED: GenerationCancelled,
}
TERMINAL_TYPES = frozenset(ending.type for ending in ENDINGS.values())


class Event(Frozen):
    """One row of the log. `data` is the whole JSON object a client gets, on one line, ASCII only."""

    generation_id: UUID
    seq: int
    type: Annotated[str, Field(pattern=r"^[a-z._]+$")]
    data: Annotated[str, Field(pattern=r"^[ -~]*$")]

    @property
    def is_terminal(self) -> bool:
        return self.type in TERMINAL_TYPES
