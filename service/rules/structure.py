"""Is this a question that works at all? What its type needs, whoever wrote it (DESIGN 6)."""

from collections.abc import Sequence
from typing import assert_never

from schemas.base import Frozen
from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from service.rules.fields import GAP, Field, fields_of, is_blank, is_storable
from service.rules.likeness import key_form

OPTIONS_MIN, OPTIONS_MAX = 3, 6
KEYS_MIN = 2
PAIRS_MIN, PAIRS_MAX = 3, 8
EXTRA_RIGHTS_MAX = 4
EXPLANATION_CHARACTERS_MAX = 4000
EXCERPT_CHARACTERS_MAX = 80


class Rejection(Frozen):
    """Why a question can't be kept: a code for programs, and a sentence that tells its author what to do better."""

    code: str
    message: str


def rejection_of(content: Content, explanation: str) -> Rejection | None:
    """The first thing that is wrong with a tidied content and explanation."""
    return _text_problem(content, explanation) or _shape_problem(content)


def _text_problem(content: Content, explanation: str) -> Rejection | None:
    """What is wrong with one of the texts by itself. An explanation may be missing, but not broken."""
    parts = list(fields_of(content))
    if explanation:
        parts.append(Field("explanation", explanation, EXPLANATION_CHARACTERS_MAX))
    return next(filter(None, map(_field_problem, parts)), None)


def _field_problem(field: Field) -> Rejection | None:
    if is_blank(field.text):
        return Rejection(code=field.empty_code, message=f"The {field.name} is empty; write it out.")
    if not is_storable(field.text):
        return Rejection(
            code="control_characters",
            message=f"The {field.name} holds a control character; in JSON, write a backslash as \\\\.",
        )
    if len(field.text) > field.characters_max:
        return Rejection(
            code="text_too_long",
            message=f"The {field.name} has {len(field.text)} characters; write at most {field.characters_max}.",
        )
    return None


def _shape_problem(content: Content) -> Rejection | None:
    match content:
        case MultipleChoice():
            return (
                _count_problem(content.options)
                or _missing_key_problem([content.answer], content.options)
                or _twins_problem(content.options)
            )
        case MultipleResponse():
            return (
                _count_problem(content.options)
                or _missing_key_problem(content.answers, content.options)
                or _key_count_problem(content)
                or _twins_problem(content.options)
            )
        case Matching():
            return _pairs_problem(content)
        case Numeric():
            return _tolerance_problem(content)
        case FillInBlank():
            return _gap_problem(content)
        case TrueFalse() | ShortAnswer() | Flashcard() | Vocabulary():
            return None
        case _:
            assert_never(content)


def _count_problem(texts: Sequence[str]) -> Rejection | None:
    if OPTIONS_MIN <= len(texts) <= OPTIONS_MAX:
        return None
    return Rejection(
        code="option_count",
        message=f"There are {len(texts)} options; give {OPTIONS_MIN} to {OPTIONS_MAX}, right and wrong ones together.",
    )


def _missing_key_problem(answers: Sequence[int], texts: Sequence[str]) -> Rejection | None:
    if answers and all(0 <= answer < len(texts) for answer in answers):
        return None
    return Rejection(code="key_not_in_options", message="The right answer is not among the options; add it.")


def _key_count_problem(question: MultipleResponse) -> Rejection | None:
    count = len(question.answers)
    if KEYS_MIN <= count < len(question.options):
        return None
    return Rejection(
        code="key_count",
        message=f"{count} of {len(question.options)} options are right; "
        f"give at least {KEYS_MIN} right ones and at least one wrong one.",
    )


def _pairs_problem(question: Matching) -> Rejection | None:
    count, extra_count = len(question.pairs), len(question.extra_rights)
    if not PAIRS_MIN <= count <= PAIRS_MAX:
        return Rejection(code="pair_count", message=f"There are {count} pairs; give {PAIRS_MIN} to {PAIRS_MAX}.")
    if extra_count > EXTRA_RIGHTS_MAX:
        return Rejection(
            code="pair_count", message=f"There are {extra_count} extra rights; give at most {EXTRA_RIGHTS_MAX}."
        )
    rights = [pair.right for pair in question.pairs]
    return _twins_problem([pair.left for pair in question.pairs]) or _twins_problem([*rights, *question.extra_rights])


def _tolerance_problem(question: Numeric) -> Rejection | None:
    if question.tolerance >= 0:
        return None
    return Rejection(
        code="tolerance_negative",
        message="The tolerance is below 0; give how far from the answer is still right, 0 for not at all.",
    )


def _gap_problem(question: FillInBlank) -> Rejection | None:
    if GAP not in question.stem:
        return Rejection(code="no_blank", message=f"The stem has no gap; write {GAP} in the place of the answer.")
    around = question.stem.replace(GAP, "")
    if not any(map(str.isalnum, around)):
        return Rejection(code="empty_text", message=f"The stem is nothing but a gap; write a sentence around {GAP}.")
    return None


def _twins_problem(texts: Sequence[str]) -> Rejection | None:
    seen: dict[str, str] = {}
    for text in texts:
        form = key_form(text)
        if form in seen:
            return Rejection(
                code="duplicate_options",
                message=f"The options {excerpt(seen[form])} and {excerpt(text)} are the same; make all options differ.",
            )
        seen[form] = text
    return None


def excerpt(text: str) -> str:
    """Its beginning on one line, in quotes."""
    line = " ".join(text.split())
    if len(line) > EXCERPT_CHARACTERS_MAX:
        line = line[: EXCERPT_CHARACTERS_MAX - 1] + "…"
    return f'"{line}"'
