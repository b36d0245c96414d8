"""What an export holds of a quiz, and what its format can't express."""

from uuid import UUID

from schemas.base import Frozen
from schemas.states import QuestionType, Review


class LeftOut(Frozen):
    """A question that is not in the file."""

    id: UUID
    question_type: QuestionType
    preview: str
    reason: str


class Omission(Frozen):
    """What the file says of no question."""

    fields: tuple[str, ...]
    reason: str


class Manifest(Frozen):
    quiz_id: UUID
    format: str
    file_name: str
    review: Review | None
    question_count: int
    exported_count: int
    left_out: tuple[LeftOut, ...]
    omits: tuple[Omission, ...]
