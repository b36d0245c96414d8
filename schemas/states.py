"""The names of every state, type and code that users can see (CONTRACT 1 and 4)."""

from enum import StrEnum


class GenerationState(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL_GENERATION_STATES


TERMINAL_GENERATION_STATES = frozenset(
    {GenerationState.COMPLETED, GenerationState.PARTIAL, GenerationState.FAILED, GenerationState.CANCELLED}
)


class BatchState(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class QuestionState(StrEnum):
    HELD = "held"
    SAVED = "saved"


class AttemptOutcome(StrEnum):
    """How one try of one batch ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WORKER_LOST = "worker_lost"
    RELEASED = "released"


class QuizStatus(StrEnum):
    CREATED = "created"
    EXTRACTING_CONTENT = "extracting_content"
    GENERATING_QUESTIONS = "generating_questions"
    READY_FOR_REVIEW = "ready_for_review"
    READY_FOR_REVIEW_PARTIAL = "ready_for_review_partial"
    EXPORTING_TO_CANVAS = "exporting_to_canvas"
    PUBLISHED = "published"
    FAILED = "failed"


class FailureReason(StrEnum):
    """Why a quiz is `failed`, or could not be published."""

    NO_CONTENT = "no_content"
    EXTRACTION_FAILED = "extraction_failed"
    LLM_GENERATION_ERROR = "llm_generation_error"
    NO_QUESTIONS_GENERATED = "no_questions_generated"
    CANVAS_ERROR = "canvas_error"


class PublicationState(StrEnum):
    """Where a quiz stands on its way into a course in Canvas."""

    EXPORTING = "exporting"
    PUBLISHED = "published"
    FAILED = "failed"


class Review(StrEnum):
    UNREVIEWED = "unreviewed"
    APPROVED = "approved"
    REJECTED = "rejected"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Difficulty(StrEnum):
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


class CognitiveLevel(StrEnum):
    REMEMBER = "remember"
    UNDERSTAND = "understand"
    APPLY = "apply"
    ANALYZE = "analyze"
    EVALUATE = "evaluate"
    CREATE = "create"


class QuestionType(StrEnum):
    MULTIPLE_CHOICE = "multiple_choice"
    MULTIPLE_RESPONSE = "multiple_response"
    TRUE_FALSE = "true_false"
    FILL_IN_BLANK = "fill_in_blank"
    SHORT_ANSWER = "short_answer"
    MATCHING = "matching"
    NUMERIC = "numeric"
    FLASHCARD = "flashcard"
    VOCABULARY = "vocabulary"


class EntityType(StrEnum):
    """What a generation's plan makes, seen from far."""

    QUESTION = "question"
    FLASHCARD = "flashcard"
    VOCABULARY = "vocabulary"
    MIXED = "mixed"


class ErrorCode(StrEnum):
    """Why a batch failed."""

    PROVIDER_OVERLOADED = "provider_overloaded"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    TIMEOUT = "timeout"
    MALFORMED_ANSWER = "malformed_answer"
    TOO_FEW_VALID = "too_few_valid"
    DUPLICATE_QUESTIONS = "duplicate_questions"
    SOURCE_EXHAUSTED = "source_exhausted"
    BUDGET_EXCEEDED = "budget_exceeded"
    POISONED = "poisoned"
    INTERNAL = "internal"


class PauseReason(StrEnum):
    USER = "user"
    COST_CAP = "cost_cap"


class RequeueReason(StrEnum):
    RETRY = "retry"
    WORKER_LOST = "worker_lost"


class MaterialState(StrEnum):
    WAITING = "waiting"
    EXTRACTED = "extracted"
    FAILED = "failed"
