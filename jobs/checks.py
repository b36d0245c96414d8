"""Is this question sound? One draft against its module and the questions that the quiz already has (DESIGN 6)."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from jobs import evidence, flaws, options, tongues
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
from jobs.prompts import languages
from jobs.providers.base import Source
from schemas.base import Frozen
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

__all__ = ["Rejection", "duplicate_of", "judge"]

OPTIONS_MIN, OPTIONS_MAX = 3, 6
KEYS_MIN = 2
PAIRS_MIN, PAIRS_MAX = 3, 8
EXTRA_RIGHTS_MAX = 4
EXPLANATION_CHARACTERS_MAX = 4000
EXCERPT_CHARACTERS_MAX = 80


class Rejection(Frozen):
    """Why a draft can't be kept: a code for programs, and a sentence that tells a model what to do better."""

    code: str
    message: str


def judge(draft: Draft, source: Source, taken: Iterable[Fingerprint]) -> SoundQuestion | Rejection:
    """The draft tidied, proved and ready to be held; or the first thing that is wrong with it."""
    content = tidied(draft.content)
    explanation = tidied_text(draft.explanation)
    rejection = _text_problem(content, explanation) or _content_problem(content)
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


def _content_problem(content: Content) -> Rejection | None:  # noqa: C901, PLR0911 - one arm a question type
    match content:
        case MultipleChoice():
            return _choice_problem(content)
        case MultipleResponse():
            return _response_problem(content)
        case Matching():
            return _pairs_problem(content)
        case Numeric():
            return _tolerance_problem(content)
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


def _choice_problem(question: MultipleChoice) -> Rejection | None:
    return (
        _count_problem(question.options)
        or _missing_key_problem([question.answer], question.options)
        or _options_problem(question.options)
    )


def _response_problem(question: MultipleResponse) -> Rejection | None:
    return (
        _count_problem(question.options)
        or _missing_key_problem(question.answers, question.options)
        or _key_count_problem(question)
        or _options_problem(question.options)
    )


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


def _options_problem(texts: Sequence[str]) -> Rejection | None:
    """What makes options unfit to stand side by side, in any order."""
    twins = _twins(texts)
    if twins:
        return Rejection(
            code="duplicate_options",
            message=f"The options {_excerpt(twins[0])} and {_excerpt(twins[1])} are the same; make all options differ.",
        )
    if options.are_labelled(texts):
        return Rejection(
            code="label_in_option",
            message="The options begin with labels such as A) or 1.; leave the labels out.",
        )
    return next(filter(None, map(_catch_all_problem, texts)), None)


def _pairs_problem(question: Matching) -> Rejection | None:
    count, extra_count = len(question.pairs), len(question.extra_rights)
    if not PAIRS_MIN <= count <= PAIRS_MAX:
        return Rejection(code="pair_count", message=f"There are {count} pairs; give {PAIRS_MIN} to {PAIRS_MAX}.")
    if extra_count > EXTRA_RIGHTS_MAX:
        return Rejection(
            code="pair_count", message=f"There are {extra_count} extra rights; give at most {EXTRA_RIGHTS_MAX}."
        )
    rights = [pair.right for pair in question.pairs]
    echoes = (_echo_problem(pair.left, pair.right, "left and right of a pair") for pair in question.pairs)
    return (
        _options_problem([pair.left for pair in question.pairs])
        or _options_problem([*rights, *question.extra_rights])
        or next(filter(None, echoes), None)
    )


def _tolerance_problem(question: Numeric) -> Rejection | None:
    if question.tolerance >= 0:
        return None
    return Rejection(
        code="tolerance_negative",
        message="The tolerance is below 0; give how far from the answer is still right, 0 for not at all.",
    )


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
