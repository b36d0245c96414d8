"""A quiz, its modules, and what became of its batches so far (CONTRACT 4)."""

from typing import Literal
from uuid import UUID

from schemas.base import Frozen, Moment
from schemas.publications import Publication
from schemas.states import FailureReason, QuestionType, QuizStatus


class Module(Frozen):
    id: UUID
    name: str
    characters: int
    topics: tuple[str, ...] = ()
    is_left_out: bool = False


class ModuleText(Frozen):
    id: UUID
    name: str
    text: str
    position: int


class Extraction(Frozen):
    """Which file is being read, and how far: page 12 of 113. A file whose pages are not known yet has 0 of them."""

    file: str
    page: int
    pages: int


class BatchResult(Frozen):
    module_id: UUID
    module_name: str
    question_type: QuestionType
    target_count: int
    generated_count: int
    status: Literal["success", "failed"]
    questions_saved: int
    error: str | None = None


class AttemptResult(Frozen):
    attempt_number: int
    timestamp: Moment
    overall_status: Literal["complete_success", "partial_success", "failed"]
    batch_results: dict[str, BatchResult]


class GenerationMetadata(Frozen):
    """Computed from the rows, never stored."""

    generation_attempts: tuple[AttemptResult, ...] = ()
    failed_batches: tuple[str, ...] = ()
    successful_batches: tuple[str, ...] = ()
    total_questions_saved: int = 0
    total_questions_target: int = 0
    last_updated: Moment | None = None


class Quiz(Frozen):
    """`code` is a short name a person can say; it is unique. `publication` is the newest one."""

    id: UUID
    code: str
    title: str
    language: str
    status: QuizStatus
    failure_reason: FailureReason | None
    modules: tuple[Module, ...]
    generation_metadata: GenerationMetadata
    question_count: int
    approved_count: int
    extraction: Extraction | None
    publication: Publication | None = None
    created_at: Moment
