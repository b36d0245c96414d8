"""A question: its content per type, where in the module it is proved, and what makes two questions the same."""

from uuid import UUID

from pydantic import Field

from schemas.base import Frozen, Moment
from schemas.states import CognitiveLevel, Difficulty, QuestionType, Review


class MultipleChoice(Frozen):
    stem: str
    options: tuple[str, ...] = Field(description="3 to 6 options")
    answer: int = Field(description="index of the key among the options")


class TrueFalse(Frozen):
    stem: str
    answer: bool


class FillInBlank(Frozen):
    stem: str = Field(description="the sentence with the gap written as ____")
    answers: tuple[str, ...] = Field(description="accepted answers, the best one first")


class ShortAnswer(Frozen):
    stem: str
    answers: tuple[str, ...] = Field(description="accepted answers, the best one first")


class Flashcard(Frozen):
    front: str
    back: str


class Vocabulary(Frozen):
    term: str
    definition: str
    example: str


Content = MultipleChoice | TrueFalse | FillInBlank | ShortAnswer | Flashcard | Vocabulary

CONTENT_OF: dict[QuestionType, type[Content]] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoice,
    QuestionType.TRUE_FALSE: TrueFalse,
    QuestionType.FILL_IN_BLANK: FillInBlank,
    QuestionType.SHORT_ANSWER: ShortAnswer,
    QuestionType.FLASHCARD: Flashcard,
    QuestionType.VOCABULARY: Vocabulary,
}
assert set(CONTENT_OF) == set(QuestionType), "every question type needs its content"


class Draft(Frozen):
    """One question as a provider made it, before any check."""

    content: Content
    quote: str = Field(description="the words of the module that prove the answer")
    explanation: str = ""
    cognitive_level: CognitiveLevel = CognitiveLevel.REMEMBER
    tags: tuple[str, ...] = ()


class Evidence(Frozen):
    """Where the module proves the answer: module.text[start:end] == quote, in code points."""

    quote: str
    module_id: UUID
    start: int
    end: int


class Fingerprint(Frozen):
    """What decides whether two questions are the same: see jobs/checks.py."""

    text: str = Field(description="normalized stem and key")
    key: str = Field(description="normalized key")
    module_id: UUID
    start: int
    end: int
    hash: str = Field(description="SHA-256 of the normalized text, hex")


class Bank(Frozen):
    """What a quiz already asks, as one batch sees it; `seen` is the number of the newest question read."""

    own: tuple[Fingerprint, ...]
    others: tuple[Fingerprint, ...]
    seen: int


class SoundQuestion(Frozen):
    """A draft that passed every check: what is held."""

    content: Content
    evidence: Evidence
    explanation: str
    cognitive_level: CognitiveLevel
    tags: tuple[str, ...]
    flaws: tuple[str, ...]
    quality: float
    fingerprint: Fingerprint


class Question(Frozen):
    """A saved question as users see it."""

    id: UUID
    quiz_id: UUID
    generation_id: UUID
    batch_id: UUID
    batch_key: str
    module_id: UUID
    module_name: str
    question_type: QuestionType
    difficulty: Difficulty | None
    content: Content
    evidence: Evidence
    explanation: str
    cognitive_level: CognitiveLevel
    tags: tuple[str, ...]
    flaws: tuple[str, ...]
    quality: float
    review: Review
    version: int
    generated_at: Moment


def preview_of(content: Content) -> str:
    """The line that stands for a question in a list or an event."""
    match content:
        case Flashcard():
            return content.front
        case Vocabulary():
            return content.term
        case _:
            return content.stem
