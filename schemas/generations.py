"""A generation, its batches and its attempts as users see them (CONTRACT 4)."""

from uuid import UUID

from pydantic import Field

from schemas.base import Frozen, Moment
from schemas.calls import CallTotals, Usage
from schemas.states import (
    AttemptOutcome,
    BatchState,
    Difficulty,
    EntityType,
    ErrorCode,
    GenerationState,
    Priority,
    QuestionType,
)


class BatchError(Frozen):
    code: ErrorCode
    message: str


class Batch(Frozen):
    id: UUID
    batch_key: str
    module_id: UUID
    module_name: str
    question_type: QuestionType
    difficulty: Difficulty | None
    target_count: int
    saved_count: int
    held_count: int
    status: BatchState
    attempts: int
    error: BatchError | None
    usage: CallTotals = CallTotals()


class Links(Frozen):
    events: str
    questions: str
    retry: str


class Generation(Frozen):
    """`error` sums up why batches failed, or says that the cost reached `cost_max_usd`; else null."""

    id: UUID
    quiz_id: UUID
    entity_type: EntityType
    status: GenerationState
    priority: Priority
    requested_count: int
    generated_count: int
    failed_count: int
    held_count: int
    message: str
    error: BatchError | None
    can_resume: bool
    requested_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    last_event_id: int
    batches: tuple[Batch, ...]
    usage: Usage
    cost_max_usd: float | None = None
    links: Links


class RetryAnswer(Frozen):
    """`retried`: the batches that were (with dry_run: would be) put back; `untouched`: how many were not."""

    generation: Generation
    retried: tuple[UUID, ...]
    untouched: int


class BatchAttempt(CallTotals):
    """One try of one batch by one worker process. `number` counts the batch's tries from 1."""

    batch_id: UUID
    batch_key: str
    number: int
    worker: str
    outcome: AttemptOutcome
    error: BatchError | None
    started_at: Moment
    ended_at: Moment | None
    seconds: float | None


class GenerationAttempt(Frozen):
    """One run of a generation: the first order, then one per retry. Sums are over its batches' tries."""

    attempt_number: int
    outcome: str = Field(description="running, complete_success, partial_success, failed or cancelled")
    error_codes: tuple[ErrorCode, ...]
    llm_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float = 0.0
    unpriced_calls: int = 0
    seconds: float
    batches: tuple[BatchAttempt, ...]
