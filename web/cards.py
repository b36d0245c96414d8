"""A question as a page shows it, whatever its type: what is asked, the options, the pairs, the answers."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from schemas.base import Frozen
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
    figure_of,
)
from schemas.quizzes import Module


class Option(Frozen):
    text: str
    is_key: bool


class Answer(Frozen):
    label: str
    text: str


class Card(Frozen):
    asked: str
    options: tuple[Option, ...] = ()
    pairs: tuple[Pair, ...] = ()
    answers: tuple[Answer, ...] = ()


class Chapter(Frozen):
    """The questions about one module, in the order they were made."""

    name: str
    questions: tuple[Question, ...]


def card_of(content: Content) -> Card:  # noqa: C901, PLR0911 - one arm a question type
    match content:
        case MultipleChoice(stem=stem, options=options, answer=key):
            return Card(asked=stem, options=_options(options, (key,)))
        case MultipleResponse(stem=stem, options=options, answers=keys):
            return Card(asked=stem, options=_options(options, keys))
        case TrueFalse(stem=stem, answer=is_true):
            return Card(
                asked=stem,
                options=(Option(text="True", is_key=is_true), Option(text="False", is_key=not is_true)),
            )
        case FillInBlank(stem=stem, answers=accepted) | ShortAnswer(stem=stem, answers=accepted):
            return Card(asked=stem, answers=_accepted(accepted))
        case Matching(stem=stem, pairs=pairs, extra_rights=extra_rights):
            unmatched = tuple(Answer(label="Belongs to none", text=text) for text in extra_rights)
            return Card(asked=stem, pairs=pairs, answers=unmatched)
        case Numeric(stem=stem, answer=answer, tolerance=tolerance):
            within = (Answer(label="Tolerance", text=f"± {figure_of(tolerance)}"),) if tolerance else ()
            return Card(asked=stem, answers=(Answer(label="Answer", text=figure_of(answer)), *within))
        case Flashcard(front=front, back=back):
            return Card(asked=front, answers=(Answer(label="Back", text=back),))
        case Vocabulary(term=term, definition=definition, example=example):
            return Card(
                asked=term,
                answers=(Answer(label="Definition", text=definition), Answer(label="Example", text=example)),
            )
        case _:
            assert_never(content)


def chapters_of(modules: Sequence[Module], questions: Sequence[Question]) -> list[Chapter]:
    """Chapters in the order of the material; modules without a question are left out."""
    names = {module.id: module.name for module in modules}
    entries: dict[UUID, list[Question]] = {module.id: [] for module in modules}
    for question in questions:
        names.setdefault(question.module_id, question.module_name)
        entries.setdefault(question.module_id, []).append(question)
    return [Chapter(name=names[module_id], questions=tuple(found)) for module_id, found in entries.items() if found]


def _options(texts: Sequence[str], keys: Sequence[int]) -> tuple[Option, ...]:
    return tuple(Option(text=text, is_key=index in keys) for index, text in enumerate(texts))


def _accepted(answers: Sequence[str]) -> tuple[Answer, ...]:
    best = tuple(Answer(label="Answer", text=text) for text in answers[:1])
    others = "; ".join(answers[1:])
    return (*best, Answer(label="Also accepted", text=others)) if others else best
