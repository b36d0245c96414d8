"""What a reviewer sends: edits, and decisions on many questions at once."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.base import Body, Frozen, Name, StorableText
from schemas.states import Difficulty, QuestionType, Review

CHOSEN_MAX = 1000


class QuestionEdit(Body):
    """Only what is given is changed; `content` is that of the question's type, whole."""

    content: dict[str, object] | None = None
    explanation: StorableText | None = None
    difficulty: Difficulty | None = None
    tags: Annotated[list[Name], Field(max_length=10)] | None = None


class Choice(Body):
    """Which questions of a quiz are meant; none named: all that nobody has decided on."""

    question_ids: Annotated[list[UUID], Field(min_length=1, max_length=CHOSEN_MAX)] | None = None


class Decided(Frozen):
    """How many questions a decision has changed."""

    changed: int


class Regeneration(Body):
    """`instructions`: what should be different."""

    instructions: Annotated[StorableText, Field(max_length=4000)] = ""


class Shown(Frozen):
    """Which questions of a quiz a page shows; None = any."""

    module_id: UUID | None = None
    question_type: QuestionType | None = None
    difficulty: Difficulty | None = None
    flaw: str | None = None
    review: Review | None = None
