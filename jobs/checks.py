"""Is this question sound? One draft against its module and the questions that the quiz already has (DESIGN 6)."""

from collections.abc import Sequence
from typing import assert_never

from jobs import evidence, flaws, options
from jobs.duplicates import duplicate_of, fingerprint_of, key_form
from jobs.fields import (
    GAP,
    PASSAGE_CHARACTERS_MAX,
    Field,
    fields_of,
    is_blank,
    is_storable,
    tidied,
    tidied_tags,
    tidied_text,
)
from jobs.providers.base import Source
from schemas.base import Frozen
from schemas.questions import (
    Content,
    Draft,
    Evidence,
    FillInBlank,
    Fingerprint,
    Flashcard,
    MultipleChoice,
    ShortAnswer,
    SoundQuestion,
    TrueFalse,
    Vocabulary,
)

__all__ = ["Rejection", "duplicate_of", "judge"]

OPTIONS_MIN, OPTIONS_MAX = 3, 6
EXPLANATION_CHARACTERS_MAX = 4000
EXCERPT_CHARACTERS_MAX = 80


class Rejection(Frozen):
    """Why a draft can't be kept: a code for programs, and a sentence that tells a model what to do better."""

    code: str
    message: str


def judge(draft: Draft, source: Source, taken: Sequence[Fingerprint]) -> SoundQuestion | Rejection:
    """The draft tidied, proved and ready to be held; or the first thing that is wrong with it."""
    content = tidied(draft.content)
    explanation = tidied_text(draft.explanation)
    rejection = _text_problem(content, explanation) or _content_problem(content)
    if rejection:
        return rejection
    span = _proof(draft.quote, source)
    if isinstance(span, Rejection):
        return span
    if isinstance(content, MultipleChoice):
        content = options.arranged(content, source.language)
    quote = source.text[span.start : span.end]
    proof = Evidence(quote=quote, module_id=source.module_id, start=span.start, end=span.end)
    fingerprint = fingerprint_of(content, proof)
    twin = duplicate_of(fingerprint, taken)
    if twin:
        return _repeats(twin)
    found = flaws.flaws_of(content, explanation=explanation, quote=quote, language=source.language)
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


def _content_problem(content: Content) -> Rejection | None:
    match content:
        case MultipleChoice():
            return _options_problem(content)
        case FillInBlank():
            return _gap_problem(content)
        case Flashcard():
            return _echo_problem(content.front, content.back, "front and back of the card")
        case Vocabulary():
            return _echo_problem(content.term, content.definition, "term and its definition")
        case TrueFalse() | ShortAnswer():
            return None
        case _:
            assert_never(content)


def _options_problem(question: MultipleChoice) -> Rejection | None:
    count = len(question.options)
    if not OPTIONS_MIN <= count <= OPTIONS_MAX:
        return Rejection(
            code="option_count",
            message=f"There are {count} options; give {OPTIONS_MIN} to {OPTIONS_MAX}, one of them right.",
        )
    if not 0 <= question.answer < count:
        return Rejection(code="key_not_in_options", message="The right answer is not among the options; add it.")
    twins = _twins(question.options)
    if twins:
        return Rejection(
            code="duplicate_options",
            message=f"The options {_excerpt(twins[0])} and {_excerpt(twins[1])} are the same; make all options differ.",
        )
    if options.are_labelled(question.options):
        return Rejection(
            code="label_in_option",
            message="The options begin with labels such as A) or 1.; leave the labels out.",
        )
    return next(filter(None, map(_catch_all_problem, question.options)), None)


def _twins(texts: Sequence[str]) -> tuple[str, str] | None:
    seen: dict[str, str] = {}
    for text in texts:
        form = key_form(text)
        if form in seen:
            return seen[form], text
        seen[form] = text
    return None


def _catch_all_problem(option: str) -> Rejection | None:
    code = options.catch_all_code(option)
    if code is None:
        return None
    return Rejection(
        code=code,
        message=f"The option {_excerpt(option)} speaks of other options; write one that stands for itself.",
    )


def _gap_problem(question: FillInBlank) -> Rejection | None:
    if GAP not in question.stem:
        return Rejection(code="no_blank", message=f"The stem has no gap; write {GAP} in the place of the answer.")
    around = question.stem.replace(GAP, "")
    if not any(map(str.isalnum, around)):
        return Rejection(code="empty_text", message=f"The stem is nothing but a gap; write a sentence around {GAP}.")
    for answer in question.answers:
        if flaws.shows(question.stem.replace(GAP, f" {GAP} "), answer):
            return Rejection(
                code="answer_visible_in_stem",
                message=f"The answer {_excerpt(answer)} can be read in the stem; leave it out of the rest of the stem.",
            )
    return None


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
            message=f"The quote {_excerpt(quote)} does not stand in the module; copy it word for word.",
        )
    return span


def _repeats(twin: Fingerprint) -> Rejection:
    return Rejection(
        code="near_duplicate",
        message=f"This asks the same as an earlier question ({_excerpt(twin.text)}); ask about something else.",
    )


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > EXCERPT_CHARACTERS_MAX:
        line = line[: EXCERPT_CHARACTERS_MAX - 1] + "…"
    return f'"{line}"'
