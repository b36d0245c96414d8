"""How a batch ended in one run of its generation."""

from datetime import datetime
from uuid import UUID

from schemas.base import Frozen
from schemas.states import QuestionType


class BatchRun(Frozen):
    """The end of one try, good or bad."""

    generation_id: UUID
    run: int
    batch_id: UUID
    batch_key: str
    module_id: UUID
    module_name: str
    question_type: QuestionType
    target_count: int
    generated_count: int
    is_success: bool
    error: str | None
    ended_at: datetime
