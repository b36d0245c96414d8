"""What clients send to create quizzes and order questions."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from schemas.base import Body, FilledText, Name, StorableText
from schemas.states import Difficulty, Priority, QuestionType

Title = Annotated[Name, Field(max_length=200)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
TargetCount = Annotated[int, Field(ge=1)]
CostMaxUsd = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class Preset(StrEnum):
    QUIZ = "quiz"
    FLASHCARDS = "flashcards"
    BOTH = "both"


KINDS: dict[Preset, tuple[tuple[QuestionType, Difficulty | None], ...]] = {
    Preset.QUIZ: (
        (QuestionType.MULTIPLE_CHOICE, Difficulty.EASY),
        (QuestionType.MULTIPLE_CHOICE, Difficulty.MEDIUM),
    ),
    Preset.FLASHCARDS: ((QuestionType.FLASHCARD, None),),
    Preset.BOTH: (
        (QuestionType.MULTIPLE_CHOICE, Difficulty.EASY),
        (QuestionType.MULTIPLE_CHOICE, Difficulty.MEDIUM),
        (QuestionType.FLASHCARD, None),
    ),
}
"""The batches that a preset makes of every module."""
assert set(KINDS) == set(Preset), "every preset needs its kinds of batches"


class NewModule(Body):
    name: Title
    text: FilledText


class NewQuiz(Body):
    title: Title
    language: Language = "en"
    modules: Annotated[list[NewModule], Field(min_length=1, max_length=500)]


class BatchOrder(Body):
    question_type: QuestionType
    difficulty: Difficulty | None = None
    target_count: TargetCount


class ModuleBatchOrder(BatchOrder):
    module_id: UUID


class OrderOptions(Body):
    priority: Priority = Priority.NORMAL
    instructions: Annotated[StorableText, Field(max_length=4000)] = ""
    model: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:/@-]+$")] | None = None
    cost_max_usd: CostMaxUsd | None = None


class Order(OrderOptions):
    """Either `batches`, or a `preset` with `target_count` per batch."""

    batches: Annotated[list[ModuleBatchOrder], Field(min_length=1)] | None = None
    preset: Preset | None = None
    target_count: TargetCount | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Order":
        if (self.batches is None) == (self.preset is None):
            raise ValueError("give either batches or preset")
        if (self.preset is None) != (self.target_count is None):
            raise ValueError("target_count goes with preset")
        return self


class OrderedModule(NewModule):
    batches: Annotated[list[BatchOrder], Field(min_length=1)]


class QuizOrder(OrderOptions):
    """Quiz and order in one."""

    title: Title
    language: Language = "en"
    modules: Annotated[list[OrderedModule], Field(min_length=1, max_length=500)]


class RetryOrder(Body):
    batch_ids: Annotated[list[UUID], Field(min_length=1)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:/@-]+$")] | None = None
    cost_max_usd: CostMaxUsd | None = None


class ResumeOrder(Body):
    """`cost_max_usd`: the new limit of what the generation may cost in all; none = as it was."""

    cost_max_usd: CostMaxUsd | None = None
