"""The structured output that is asked for per question type, and the way from one raw question object to a draft."""

from abc import abstractmethod
from functools import cache
from typing import Annotated

from anthropic import transform_schema
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, ValidationError

from jobs.providers.base import Unreadable
from schemas.base import FilledText, StorableText
from schemas.questions import (
    Content,
    Draft,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from schemas.states import CognitiveLevel, QuestionType

TAGS_MAX = 5
REASON_CHARACTERS_MAX = 200

Line = Annotated[FilledText, StringConstraints(strip_whitespace=True, max_length=500)]
Passage = Annotated[FilledText, StringConstraints(strip_whitespace=True, max_length=4000)]
Remark = Annotated[StorableText, StringConstraints(strip_whitespace=True, max_length=2000)]


class Answer(BaseModel):
    """What every question object holds. Unknown fields are ignored: they harm nobody."""

    model_config = ConfigDict(frozen=True)

    quote: Passage = Field(description="copied word for word from the module; proves the answer")
    explanation: Remark = ""
    cognitive_level: CognitiveLevel = CognitiveLevel.REMEMBER
    tags: list[Remark] = []

    @abstractmethod
    def content(self) -> Content: ...


class MultipleChoiceAnswer(Answer):
    # The key is asked for in words: models that write an index miscount, and prefer some positions to others.
    stem: Passage
    key: Line = Field(description="the one right answer")
    distractors: list[Line] = Field(description="exactly three wrong answers")

    def content(self) -> Content:
        return MultipleChoice(stem=self.stem, options=(self.key, *self.distractors), answer=0)


class MultipleResponseAnswer(Answer):
    stem: Passage
    keys: list[Line] = Field(min_length=1, description="all the right answers, at least two")
    distractors: list[Line] = Field(description="the wrong answers")

    def content(self) -> Content:
        answers = tuple(range(len(self.keys)))
        return MultipleResponse(stem=self.stem, options=(*self.keys, *self.distractors), answers=answers)


class TrueFalseAnswer(Answer):
    stem: Passage = Field(description="a statement")
    answer: bool

    def content(self) -> Content:
        return TrueFalse(stem=self.stem, answer=self.answer)


class FillInBlankAnswer(Answer):
    stem: Passage = Field(description="a sentence with one gap written as ____")
    answers: list[Line] = Field(min_length=1, description="accepted words for the gap, the best first")

    def content(self) -> Content:
        return FillInBlank(stem=self.stem, answers=tuple(self.answers))


class ShortAnswerAnswer(Answer):
    stem: Passage
    answers: list[Line] = Field(min_length=1, description="accepted answers, the best first")

    def content(self) -> Content:
        return ShortAnswer(stem=self.stem, answers=tuple(self.answers))


class AnswerPair(BaseModel):
    model_config = ConfigDict(frozen=True)

    left: Line
    right: Line = Field(description="what belongs to this left and to no other")


class MatchingAnswer(Answer):
    stem: Passage = Field(description="what is to be matched with what")
    pairs: list[AnswerPair]
    extra_rights: list[Line] = Field(description="one or two that belong to no left")

    def content(self) -> Content:
        pairs = tuple(Pair(left=pair.left, right=pair.right) for pair in self.pairs)
        return Matching(stem=self.stem, pairs=pairs, extra_rights=tuple(self.extra_rights))


class NumericAnswer(Answer):
    stem: Passage = Field(description="a question that names the unit of its answer")
    answer: FiniteFloat
    tolerance: FiniteFloat = Field(description="how far from the answer is still right, 0 or more")

    def content(self) -> Content:
        return Numeric(stem=self.stem, answer=self.answer, tolerance=self.tolerance)


class FlashcardAnswer(Answer):
    front: Passage
    back: Passage

    def content(self) -> Content:
        return Flashcard(front=self.front, back=self.back)


class VocabularyAnswer(Answer):
    term: Line
    definition: Passage
    example: Passage

    def content(self) -> Content:
        return Vocabulary(term=self.term, definition=self.definition, example=self.example)


ANSWER_OF: dict[QuestionType, type[Answer]] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoiceAnswer,
    QuestionType.MULTIPLE_RESPONSE: MultipleResponseAnswer,
    QuestionType.TRUE_FALSE: TrueFalseAnswer,
    QuestionType.FILL_IN_BLANK: FillInBlankAnswer,
    QuestionType.SHORT_ANSWER: ShortAnswerAnswer,
    QuestionType.MATCHING: MatchingAnswer,
    QuestionType.NUMERIC: NumericAnswer,
    QuestionType.FLASHCARD: FlashcardAnswer,
    QuestionType.VOCABULARY: VocabularyAnswer,
}
assert set(ANSWER_OF) == set(QuestionType), "every question type needs the shape of its answer"


def parse(question_type: QuestionType, raw: str) -> Draft | Unreadable:
    """One question object as the model wrote it. What is wrong with it is said in words fit for a correction."""
    try:
        answer = ANSWER_OF[question_type].model_validate_json(raw)
    except ValidationError as error:
        return Unreadable(message=reason(error))
    return Draft(
        content=answer.content(),
        quote=answer.quote,
        explanation=answer.explanation,
        cognitive_level=answer.cognitive_level,
        tags=tuple(tag for tag in answer.tags if tag)[:TAGS_MAX],
    )


@cache
def schema_of(question_type: QuestionType) -> dict[str, object]:
    """The JSON schema of a whole answer, in the subset that structured outputs understand.

    Lengths are no part of that subset, so a model may break them; `parse` is what enforces them.
    """
    question = ANSWER_OF[question_type].model_json_schema()
    definitions = question.pop("$defs")
    fields = question["properties"]
    # A model writes the fields in this order: first the proof, then the question, then what is said about it.
    last = ("explanation", "cognitive_level", "tags")
    first = [name for name in fields if name not in last]
    question["properties"] = {name: fields[name] for name in (*first, *last)}
    question["required"] = list(question["properties"])
    questions = {"type": "array", "items": question}
    answer = {"type": "object", "properties": {"questions": questions}, "required": ["questions"]}
    return transform_schema(without_noise({**answer, "$defs": definitions}))


def without_noise(schema: dict[str, object]) -> dict[str, object]:
    """Without what the model has no use for and every call would pay for."""
    return {
        key: without_noise(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key not in {"title", "default", "maxLength"}
    }


def reason(error: ValidationError, default: str = "question") -> str:
    """Where an answer is wrong, and how; `default`: what to call the whole of it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or default
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"[:REASON_CHARACTERS_MAX]
