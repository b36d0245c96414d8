"""A question on paper: what is asked with room for the answer, and its line in the key."""

import re
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final, assert_never
from uuid import UUID

from schemas.base import Frozen
from schemas.languages import truth_in
from schemas.questions import (
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
from web.cards import chapters_of

GAP: Final = re.compile("_{4,}")
ROOM: Final = "_" * 12


class Layout(Frozen):
    """`options` are lettered on the page; `choices` are to be crossed, `lefts` want the letter of an option."""

    asked: str
    options: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    lefts: tuple[str, ...] = ()
    lines: int = 0
    answers: tuple[str, ...]


class Entry(Frozen):
    number: int
    id: UUID
    layout: Layout
    reason: str


class Part(Frozen):
    """The questions about one module."""

    name: str
    entries: tuple[Entry, ...]


def parts_of(quiz: Quiz, questions: Sequence[Question]) -> list[Part]:
    """Numbered through, in the order of the material."""
    parts, number = [], 1
    for chapter in chapters_of(quiz.modules, questions):
        entries = [_entry(question, quiz.language, at) for at, question in enumerate(chapter.questions, number)]
        number += len(entries)
        parts.append(Part(name=chapter.name, entries=tuple(entries)))
    return parts


def _entry(question: Question, language: str, number: int) -> Entry:
    reason = question.explanation or question.evidence.quote
    return Entry(number=number, id=question.id, layout=_layout(question, language), reason=reason)


def _layout(question: Question, language: str) -> Layout:  # noqa: C901, PLR0911 - one arm a question type
    content = question.content
    match content:
        case MultipleChoice(stem=asked, options=options, answer=key):
            return Layout(asked=asked, options=options, answers=_lettered(options, [key]))
        case MultipleResponse(stem=asked, options=options, answers=keys):
            return Layout(asked=asked, options=options, answers=_lettered(options, keys))
        case TrueFalse(stem=asked, answer=is_true):
            words = truth_in(language)
            return Layout(asked=asked, choices=words, answers=(words[0 if is_true else 1],))
        case FillInBlank(stem=asked, answers=answers):
            return Layout(asked=GAP.sub(ROOM, asked), answers=answers)
        case ShortAnswer(stem=asked, answers=answers):
            return Layout(asked=asked, lines=1, answers=answers)
        case Matching():
            return _matching(content)
        case Numeric(stem=asked, answer=answer, tolerance=tolerance):
            within = f" ± {figure_of(tolerance)}" if tolerance else ""
            return Layout(asked=asked, lines=1, answers=(figure_of(answer) + within,))
        case Flashcard(front=asked, back=back):
            return Layout(asked=asked, lines=2, answers=(back,))
        case Vocabulary(term=asked, definition=definition, example=example):
            return Layout(asked=asked, lines=2, answers=(definition, example))
        case _:
            assert_never(content)


def _matching(content: Matching) -> Layout:
    """The rights stand in their own order, which does not give away what belongs to what."""
    texts = [*(pair.right for pair in content.pairs), *content.extra_rights]
    rights = sorted(texts, key=lambda text: (text.casefold(), text))
    answers = [f"{pair.left} = {_lettered(rights, [rights.index(pair.right)])[0]}" for pair in content.pairs]
    return Layout(
        asked=content.stem,
        lefts=tuple(pair.left for pair in content.pairs),
        options=tuple(rights),
        answers=tuple(answers),
    )


def _lettered(options: Sequence[str], keys: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{ascii_uppercase[key]}. {options[key]}" for key in keys)
