"""A question: its content per type, where in the module it is proved, and what makes two questions the same."""

from typing import NamedTuple
from uuid import UUID

from pydantic import Field, FiniteFloat

from schemas.base import Frozen, Moment
from schemas.states import CognitiveLevel, Difficulty, QuestionType, Review


class MultipleChoice(Frozen):
    stem: str
    options: tuple[str, ...] = Field(description="3 to 6 options")
    answer: int = Field(description="index of the key among the options")


class MultipleResponse(Frozen):
    stem: str
    options: tuple[str, ...] = Field(description="3 to 6 options")
    answers: tuple[int, ...] = Field(description="indexes of the right ones among the options, ascending")


class TrueFalse(Frozen):
    stem: str
    answer: bool


class FillInBlank(Frozen):
    stem: str = Field(description="the sentence with the gap written as ____")
    answers: tuple[str, ...] = Field(description="accepted answers, the best one first")


class ShortAnswer(Frozen):
    stem: str
    answers: tuple[str, ...] = Field(description="accepted answers, the best one first")


class Pair(Frozen):
    left: str
    right: str


class Matching(Frozen):
    stem: str
    pairs: tuple[Pair, ...] = Field(description="3 to 8 pairs of what belongs together")
    extra_rights: tuple[str, ...] = Field(description="up to 4 that belong to no left")


class Numeric(Frozen):
    stem: str
    answer: FiniteFloat
    tolerance: FiniteFloat = Field(description="how far from the answer is still right; 0: not at all")


class Flashcard(Frozen):
    front: str
    back: str


class Vocabulary(Frozen):
    term: str
    definition: str
    example: str


Content = (
    MultipleChoice
    | MultipleResponse
    | TrueFalse
    | FillInBlank
    | ShortAnswer
    | Matching
    | Numeric
    | Flashcard
    | Vocabulary
)

CONTENT_OF: dict[QuestionType, type[Content]] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoice,
    QuestionType.MULTIPLE_RESPONSE: MultipleResponse,
    QuestionType.TRUE_FALSE: TrueFalse,
    QuestionType.FILL_IN_BLANK: FillInBlank,
    QuestionType.SHORT_ANSWER: ShortAnswer,
    QuestionType.MATCHING: Matching,
    QuestionType.NUMERIC: Numeric,
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


class Entered(NamedTuple):
    """A question that a quiz asks already, held or saved. `number` grows with every one that is entered."""

    number: int
    batch_id: UUID
    question_type: QuestionType
    preview: str
    fingerprint: Fingerprint


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
        case Matching():
            # The stem of one is mostly that of the next; what it is about are its lefts, in whatever order they come.
            return f"{content.stem} {'; '.join(sorted(pair.left for pair in content.pairs))}"
        case _:
            return content.stem


def figure_of(value: float) -> str:
    """A number as people write it: 5 and not 5.0, 0 and not -0."""
    return repr(value + 0.0).removesuffix(".0")
