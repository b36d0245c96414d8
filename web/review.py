"""What the review page needs beside the questions: their evidence in its surroundings, and their fields to edit."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from urllib.parse import urlencode
from uuid import UUID

from schemas.base import Frozen
from schemas.questions import (
    Content,
    Evidence,
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
from schemas.reviews import Shown
from schemas.states import Review

SURROUNDINGS_CHARACTERS = 240
QUESTIONS_PER_PAGE = 50
OPTIONS_MAX = 6
PAIRS_MAX = 8


class Passage(Frozen):
    """A quote in the text around it."""

    before: str
    quote: str
    after: str


class Progress(Frozen):
    """How far the review of a quiz has come."""

    approved: int
    rejected: int
    questions: int
    next_id: UUID | None

    @property
    def reviewed(self) -> int:
        return self.approved + self.rejected


class View(Frozen):
    """Which questions a page shows: those that were `found` for what is `shown`, so many at a time."""

    shown: Shown
    page: int
    found: tuple[Question, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.found) // QUESTIONS_PER_PAGE))

    @property
    def on_page(self) -> tuple[Question, ...]:
        return self.found[(self.page - 1) * QUESTIONS_PER_PAGE : self.page * QUESTIONS_PER_PAGE]


class Failed(Frozen):
    """An edit that was refused: what was sent is not lost."""

    question_id: UUID
    version: str
    values: dict[str, list[str]]


def passage_of(evidence: Evidence, text: str, *, characters: int | None = SURROUNDINGS_CHARACTERS) -> Passage:
    """The quote with so much of the module around it; None: all of it. A text that has changed only gives the quote."""
    if text[evidence.start : evidence.end] != evidence.quote:
        return Passage(before="", quote=evidence.quote, after="")
    before, after = text[: evidence.start], text[evidence.end :]
    if characters is not None:
        before = _cut(before, max(0, len(before) - characters), len(before))
        after = _cut(after, 0, characters)
    return Passage(before=before, quote=evidence.quote, after=after)


def progress_of(questions: Sequence[Question]) -> Progress:
    return Progress(
        approved=sum(question.review is Review.APPROVED for question in questions),
        rejected=sum(question.review is Review.REJECTED for question in questions),
        questions=len(questions),
        next_id=next((question.id for question in questions if question.review is Review.UNREVIEWED), None),
    )


def flaws_in(questions: Sequence[Question]) -> list[str]:
    return sorted({flaw for question in questions for flaw in question.flaws})


def query_of(shown: Shown, *, page: int = 1) -> str:
    """The same questions as an address asks for them, with its question mark; empty for all."""
    wanted = {name: str(value) for name, value in shown.model_dump(mode="json", exclude_none=True).items()}
    if page > 1:
        wanted["page"] = str(page)
    return f"?{urlencode(wanted)}" if wanted else ""


def values_of(question: Question) -> Mapping[str, list[str]]:  # noqa: C901, PLR0911 - one arm a question type
    """The fields of the edit form, as a browser would send them back unchanged."""
    values = {
        "explanation": [question.explanation],
        "difficulty": [question.difficulty or ""],
        "tags": [", ".join(question.tags)],
    }
    match question.content:
        case MultipleChoice(stem=stem, options=options, answer=answer):
            return {**values, "stem": [stem], "option": list(options), "answer": [str(answer)]}
        case MultipleResponse(stem=stem, options=options, answers=keys):
            return {**values, "stem": [stem], "option": list(options), "answer": [str(key) for key in keys]}
        case TrueFalse(stem=stem, answer=is_true):
            return {**values, "stem": [stem], "answer": [str(is_true).lower()]}
        case FillInBlank(stem=stem, answers=accepted) | ShortAnswer(stem=stem, answers=accepted):
            return {**values, "stem": [stem], "answers": ["\n".join(accepted)]}
        case Matching(stem=stem, pairs=pairs, extra_rights=extra):
            lefts, rights = [pair.left for pair in pairs], [pair.right for pair in pairs]
            return {**values, "stem": [stem], "left": lefts, "right": rights, "extra_rights": ["\n".join(extra)]}
        case Numeric(stem=stem, answer=number, tolerance=tolerance):
            return {**values, "stem": [stem], "answer": [figure_of(number)], "tolerance": [figure_of(tolerance)]}
        case Flashcard(front=front, back=back):
            return {**values, "front": [front], "back": [back]}
        case Vocabulary(term=term, definition=definition, example=example):
            return {**values, "term": [term], "definition": [definition], "example": [example]}
        case _:
            assert_never(question.content)


def content_from(content: Content, values: Mapping[str, list[str]]) -> dict[str, object]:  # noqa: C901, PLR0911 - one arm a type
    """The content that a filled edit form means. Empty options and pairs are left out; raises nothing."""
    one = {name: found[0] for name, found in values.items() if found}
    stem = one.get("stem", "")
    match content:
        case MultipleChoice() | MultipleResponse():
            options, keys = _options(values)
            if isinstance(content, MultipleResponse):
                return {"stem": stem, "options": options, "answers": keys}
            return {"stem": stem, "options": options, "answer": keys[0] if keys else -1}
        case TrueFalse():
            return {"stem": stem, "answer": one.get("answer") == "true"}
        case FillInBlank() | ShortAnswer():
            return {"stem": stem, "answers": _lines(one.get("answers", ""))}
        case Matching():
            both = zip(values.get("left", ()), values.get("right", ()), strict=False)
            pairs = [{"left": left, "right": right} for left, right in both if left.strip() or right.strip()]
            return {"stem": stem, "pairs": pairs, "extra_rights": _lines(one.get("extra_rights", ""))}
        case Numeric():
            return {"stem": stem, "answer": one.get("answer", ""), "tolerance": one.get("tolerance", "")}
        case Flashcard():
            return {name: one.get(name, "") for name in ("front", "back")}
        case Vocabulary():
            return {name: one.get(name, "") for name in ("term", "definition", "example")}
        case _:
            assert_never(content)


def _options(values: Mapping[str, list[str]]) -> tuple[list[str], list[int]]:
    """The lines that are filled, and which of them are right; -1 for one that was marked and is empty."""
    kept = {str(place): text for place, text in enumerate(values.get("option", ())) if text.strip()}
    places = list(kept)
    return list(kept.values()), [places.index(key) if key in kept else -1 for key in values.get("answer", ())]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _cut(text: str, start: int, end: int) -> str:
    """A part of a text that does not begin or end within a word."""
    part = text[start:end]
    if start > 0 and " " in part:
        part = "… " + part.split(" ", 1)[1]
    if end < len(text) and " " in part:
        part = part.rsplit(" ", 1)[0] + " …"
    return part
