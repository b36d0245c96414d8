"""One question of every type, with texts that a careless format would break."""

from uuid import UUID

from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from schemas.states import QuestionType
from tests.web import samples

CONTENTS: dict[QuestionType, Content] = {
    QuestionType.MULTIPLE_CHOICE: MultipleChoice(
        stem="Which is blue?", options=("Gras, grün", "Sky", "Snow"), answer=1
    ),
    QuestionType.MULTIPLE_RESPONSE: MultipleResponse(
        stem="Which are wet?", options=("Rain", "Sand", "Dew"), answers=(0, 2)
    ),
    QuestionType.TRUE_FALSE: TrueFalse(stem='It is "so".', answer=False),
    QuestionType.FILL_IN_BLANK: FillInBlank(stem="Roots take up ____.", answers=("water", "H2O")),
    QuestionType.SHORT_ANSWER: ShortAnswer(stem="What do\nroots take up?", answers=("water; salt",)),
    QuestionType.MATCHING: Matching(
        stem="Match the colours.",
        pairs=(Pair(left="sky", right="blue"), Pair(left="snow", right="white"), Pair(left="Gras", right="grün")),
        extra_rights=("red",),
    ),
    QuestionType.NUMERIC: Numeric(stem="How many metres?", answer=-2.5, tolerance=0.25),
    QuestionType.FLASHCARD: Flashcard(front="水", back="water 💧"),
    QuestionType.VOCABULARY: Vocabulary(term="stoma", definition="a pore, small", example="A stoma opens."),
}
assert set(CONTENTS) == set(QuestionType), "every question type needs an example"


def question(number: int, question_type: QuestionType, *, content: Content | None = None, text: str = "") -> Question:
    """The `number`-th one; `text` stands in its free texts."""
    plain = samples.question(content or CONTENTS[question_type], question_type=question_type, text=text)
    return plain.model_copy(update={"id": UUID(int=number)})


def one_of_each() -> list[Question]:
    return [question(number, question_type, text="plain") for number, question_type in enumerate(CONTENTS, start=1)]
