"""Is this question sound? One draft against its module and the questions that the quiz already has (DESIGN 6)."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from jobs import evidence, flaws, options, tongues
from jobs.duplicates import duplicate_of
from jobs.prompts import languages
from jobs.providers.base import Source
from schemas.questions import (
    Content,
    Draft,
    Evidence,
    FillInBlank,
    Fingerprint,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    ShortAnswer,
    SoundQuestion,
    TrueFalse,
    Vocabulary,
)
from service.rules.fields import GAP, PASSAGE_CHARACTERS_MAX, tidied, tidied_tags, tidied_text
from service.rules.likeness import fingerprint_of, key_form
from service.rules.structure import Rejection, excerpt, rejection_of

__all__ = ["Rejection", "duplicate_of", "judge"]


def judge(draft: Draft, source: Source, taken: Iterable[Fingerprint]) -> SoundQuestion | Rejection:
    """The draft tidied, proved and ready to be held; or the first thing that is wrong with it."""
    content = tidied(draft.content)
    explanation = tidied_text(draft.explanation)
    rejection = rejection_of(content, explanation) or _wording_problem(content)
    if rejection:
        return rejection
    span = _proof(draft.quote, source)
    if isinstance(span, Rejection):
        return span
    content = _arranged(content, source.language)
    quote = source.text[span.start : span.end]
    proof = Evidence(quote=quote, module_id=source.module_id, start=span.start, end=span.end)
    fingerprint = fingerprint_of(content, proof)
    twin = duplicate_of(fingerprint, taken)
    if twin:
        return _repeats(twin)
    found = flaws.flaws_of(content, explanation=explanation, quote=quote, language=source.language)
    if "key_not_in_evidence" in found and tongues.is_foreign_module(source.text, source.language):
        # The key is a translation of what the quote says, and not expected in it.
        found = tuple(flaw for flaw in found if flaw != "key_not_in_evidence")
    found += () if span.is_verbatim else ("evidence_not_verbatim",)
    return SoundQuestion(
        content=content,
        evidence=proof,
        explanation=explanation,
        cognitive_level=draft.cognitive_level,
        tags=tidied_tags(draft.tags),
        flaws=found,
        quality=flaws.quality_of(found),
        fingerprint=fingerprint,
    )


def in_wrong_language(language: str) -> Rejection:
    """For a question of a batch that is plainly written in another language than the quiz (jobs/tongues.py)."""
    name = languages.spelled_out(language)
    return Rejection(
        code="wrong_language",
        message=f"The questions are not written in {name}; write everything but the quote in {name}.",
    )


def _arranged(content: Content, language: str) -> Content:
    match content:
        case MultipleChoice():
            return options.arranged(content, language)
        case MultipleResponse():
            return options.arranged_response(content, language)
        case Matching():
            return options.arranged_pairs(content, language)
        case TrueFalse() | FillInBlank() | ShortAnswer() | Numeric() | Flashcard() | Vocabulary():
            return content
        case _:
            assert_never(content)


def _wording_problem(content: Content) -> Rejection | None:
    """What a model must do better, though the question would work."""
    match content:
        case MultipleChoice() | MultipleResponse():
            return _options_problem(content.options)
        case Matching():
            return _pairs_problem(content)
        case FillInBlank():
            return _gap_problem(content)
        case Flashcard():
            return _echo_problem(content.front, content.back, "front and back of the card")
        case Vocabulary():
            return _echo_problem(content.term, content.definition, "term and its definition")
        case TrueFalse() | ShortAnswer() | Numeric():
            return None
        case _:
            assert_never(content)


def _options_problem(texts: Sequence[str]) -> Rejection | None:
    """What makes options unfit to stand side by side, in any order."""
    if options.are_labelled(texts):
        return Rejection(
            code="label_in_option",
            message="The options begin with labels such as A) or 1.; leave the labels out.",
        )
    return next(filter(None, map(_catch_all_problem, texts)), None)


def _pairs_problem(question: Matching) -> Rejection | None:
    rights = [pair.right for pair in question.pairs]
    echoes = (_echo_problem(pair.left, pair.right, "left and right of a pair") for pair in question.pairs)
    return (
        _options_problem([pair.left for pair in question.pairs])
        or _options_problem([*rights, *question.extra_rights])
        or next(filter(None, echoes), None)
    )


def _gap_problem(question: FillInBlank) -> Rejection | None:
    for answer in question.answers:
        if flaws.shows(question.stem.replace(GAP, f" {GAP} "), answer):
            return Rejection(
                code="answer_visible_in_stem",
                message=f"The answer {excerpt(answer)} can be read in the stem; leave it out of the rest of the stem.",
            )
    return None


def _catch_all_problem(option: str) -> Rejection | None:
    code = options.catch_all_code(option)
    if code is None:
        return None
    return Rejection(
        code=code,
        message=f"The option {excerpt(option)} speaks of other options; write one that stands for itself.",
    )


def _echo_problem(asked: str, answered: str, names: str) -> Rejection | None:
    if key_form(asked) != key_form(answered):
        return None
    return Rejection(code="answer_visible_in_stem", message=f"The {names} say the same; ask for something else.")


def _proof(quote: str, source: Source) -> evidence.Span | Rejection:
    if not any(map(str.isalnum, quote)):
        return Rejection(
            code="no_evidence",
            message="There is no quote; copy the sentence of the module that proves the answer.",
        )
    if len(quote) > PASSAGE_CHARACTERS_MAX:
        return Rejection(
            code="text_too_long",
            message=f"The quote has {len(quote)} characters; copy only the one or two sentences that prove the answer.",
        )
    span = evidence.locate(quote, source.text)
    if span is None:
        return Rejection(
            code="evidence_not_in_source",
            message=f"The quote {excerpt(quote)} does not stand in the module; copy it word for word.",
        )
    return span


def _repeats(twin: Fingerprint) -> Rejection:
    return Rejection(
        code="near_duplicate",
        message=f"This asks the same as an earlier question ({excerpt(twin.text)}); ask about something else.",
    )
