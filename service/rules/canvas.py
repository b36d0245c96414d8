"""A question in the words of Canvas' classic quizzes, or why Canvas can't ask it; and which questions are published.

Limits and fields are those of Canvas' own source (app/models/quizzes/quiz_question): the text of a question is HTML,
answers and comments are plain; a field that is too long makes Canvas fail, a distractor that is too long is cut.
"""

import html
import re
from collections.abc import Sequence
from typing import Final, assert_never
from uuid import UUID

from schemas.publications import CanvasAnswer, CanvasQuestion, LeftOut
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
from schemas.states import Review

TEXT_CHARACTERS_MAX: Final = 16 * 1024
COMMENT_CHARACTERS_MAX: Final = 5 * 1024
DISTRACTOR_CHARACTERS_MAX: Final = 255
NAME_CHARACTERS_MAX: Final = 150
RIGHT: Final = 100
NO_CARDS: Final = "Canvas quizzes have no cards to learn from"
_MARK = re.compile(r"\[([0-9a-f-]{36})\.(\d+)\]$")


class Unsayable(Exception):  # an outcome, not a fault
    """Canvas can't ask this; the message says why."""


def chosen(questions: Sequence[Question], review: Review | None) -> list[Question]:
    """Those in the named state; else the approved ones if there are any; else all that were not rejected."""
    if review:
        return [question for question in questions if question.review is review]
    approved = [question for question in questions if question.review is Review.APPROVED]
    return approved or [question for question in questions if question.review is not Review.REJECTED]


def sorted_out(questions: Sequence[Question]) -> tuple[tuple[UUID, ...], tuple[LeftOut, ...]]:
    """The ids of those that Canvas can ask, in order, and the rest with the reason."""
    sayable, left_out = [], []
    for question in questions:
        try:
            said(question)
        except Unsayable as error:
            left_out.append(LeftOut(question_id=question.id, reason=str(error)))
        else:
            sayable.append(question.id)
    return tuple(sayable), tuple(left_out)


def said(question: Question) -> CanvasQuestion:
    """Raises Unsayable."""
    kind, stem, answers = _parts(question.content)
    found = CanvasQuestion(
        question_name=f"{question.module_name[:NAME_CHARACTERS_MAX]} [{mark_of(question)}]",
        question_text=f"<p>{_as_html(stem)}</p>",
        question_type=f"{kind}_question",
        neutral_comments=question.explanation,
        answers=answers,
        matching_answer_incorrect_matches=_distractors(question.content),
    )
    _require_fitting(found)
    return found


def mark_of(question: Question) -> str:
    """What the name of a question in Canvas ends with: which of ours it is, in which version."""
    return f"{question.id}.{question.version}"


def mark_in(name: str) -> str | None:
    """The mark at the end of a name in Canvas. None: it is none of ours."""
    found = _MARK.search(name)
    return f"{found[1]}.{found[2]}" if found else None


def _parts(content: Content) -> tuple[str, str, tuple[CanvasAnswer, ...]]:
    """Type, stem and answers. Raises Unsayable."""
    match content:
        case MultipleChoice():
            return "multiple_choice", content.stem, _options(content.options, {content.answer})
        case MultipleResponse():
            return "multiple_answers", content.stem, _options(content.options, set(content.answers))
        case TrueFalse():
            return "true_false", content.stem, _options(("True", "False"), {0 if content.answer else 1})
        case FillInBlank() | ShortAnswer():
            return "short_answer", content.stem, _options(content.answers, set(range(len(content.answers))))
        case Matching():
            return "matching", content.stem, _pairs(content)
        case Numeric():
            return "numerical", content.stem, (_number(content),)
        case Flashcard() | Vocabulary():
            raise Unsayable(NO_CARDS)
        case _:
            assert_never(content)


def _options(options: Sequence[str], keys: set[int]) -> tuple[CanvasAnswer, ...]:
    return tuple(
        CanvasAnswer(answer_text=option, answer_weight=RIGHT if index in keys else 0)
        for index, option in enumerate(options)
    )


def _pairs(content: Matching) -> tuple[CanvasAnswer, ...]:
    return tuple(CanvasAnswer(answer_match_left=pair.left, answer_match_right=pair.right) for pair in content.pairs)


def _number(content: Numeric) -> CanvasAnswer:
    return CanvasAnswer(
        numerical_answer_type="exact_answer",
        answer_exact=figure_of(content.answer),
        answer_error_margin=figure_of(content.tolerance),
    )


def _distractors(content: Content) -> str | None:
    """One a line, so that none may break it. Raises Unsayable."""
    if not isinstance(content, Matching):
        return None
    lines = [" ".join(right.split()) for right in content.extra_rights]
    if any(len(line) > DISTRACTOR_CHARACTERS_MAX for line in lines):
        raise Unsayable(f"Canvas cuts what belongs to no pair after {DISTRACTOR_CHARACTERS_MAX} characters")
    return "\n".join(lines)


def _require_fitting(question: CanvasQuestion) -> None:
    """Raises Unsayable."""
    answers = (answer.model_dump(exclude_none=True).values() for answer in question.answers)
    texts = [question.question_text, *(str(text) for values in answers for text in values)]
    if any(len(text) > TEXT_CHARACTERS_MAX for text in texts):
        raise Unsayable(f"Canvas takes at most {TEXT_CHARACTERS_MAX} characters in a text")
    if len(question.neutral_comments) > COMMENT_CHARACTERS_MAX:
        raise Unsayable(f"Canvas takes at most {COMMENT_CHARACTERS_MAX} characters in an explanation")


def _as_html(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")
