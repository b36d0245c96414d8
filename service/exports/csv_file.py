"""One row a question, for spreadsheets. No cell can become a formula."""

import csv
import io
from collections.abc import Sequence
from typing import assert_never

from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    figure_of,
)
from schemas.quizzes import Quiz

OPTIONS_MAX = 6
COLUMNS = (
    "id",
    "module",
    "question_type",
    "difficulty",
    "question",
    "answer",
    *(f"option_{number}" for number in range(1, OPTIONS_MAX + 1)),
    "example",
    "explanation",
    "evidence",
    "cognitive_level",
    "tags",
    "flaws",
    "quality",
    "review",
)
SEPARATOR = " | "
# The last four are the wide forms, which spreadsheets of East Asia take for the others.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write(_quiz: Quiz, questions: Sequence[Question]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for question in questions:
        writer.writerow(_harmless(cell) for cell in _row(question))
    # The mark at the start tells spreadsheets that this is UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _row(question: Question) -> list[str]:
    asked, answer, options = _columns(question.content)
    return [
        str(question.id),
        question.module_name,
        question.question_type,
        question.difficulty or "",
        asked,
        answer,
        *options,
        *[""] * (OPTIONS_MAX - len(options)),
        question.content.example if isinstance(question.content, Vocabulary) else "",
        question.explanation,
        question.evidence.quote,
        question.cognitive_level,
        SEPARATOR.join(question.tags),
        " ".join(question.flaws),
        f"{question.quality:.2f}",
        question.review,
    ]


def _columns(content: Content) -> tuple[str, str, tuple[str, ...]]:  # noqa: C901, PLR0911 - one arm a question type
    """Question, answer and options; of a matching question, what belongs to no left stands among the options."""
    match content:
        case MultipleChoice():
            return content.stem, content.options[content.answer], content.options
        case MultipleResponse():
            keys = (content.options[index] for index in content.answers)
            return content.stem, SEPARATOR.join(keys), content.options
        case TrueFalse():
            return content.stem, "true" if content.answer else "false", ()
        case FillInBlank() | ShortAnswer():
            return content.stem, SEPARATOR.join(content.answers), ()
        case Matching():
            pairs = (f"{pair.left} = {pair.right}" for pair in content.pairs)
            return content.stem, SEPARATOR.join(pairs), content.extra_rights
        case Numeric():
            return content.stem, _with_tolerance(content), ()
        case Flashcard():
            return content.front, content.back, ()
        case Vocabulary():
            return content.term, content.definition, ()
        case _:
            assert_never(content)


def _with_tolerance(question: Numeric) -> str:
    answer = figure_of(question.answer)
    return f"{answer} ± {figure_of(question.tolerance)}" if question.tolerance else answer


def _harmless(cell: str) -> str:
    """OWASP, CSV injection: a leading apostrophe keeps a cell text."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
