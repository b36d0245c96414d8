"""Item-writing flaws that a reviewer should see: warnings, never reasons to reject (DESIGN 6).

The names are those of SAQUET and the NBME guide where they have one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import assert_never

from rapidfuzz import fuzz

from jobs import cues, figures
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
    preview_of,
)
from service.rules import balance
from service.rules.characters import puts_spaces_between_words
from service.rules.likeness import key_form, text_form

STEM_WORDS_MIN = 4
STEM_CHARACTERS_MIN = 8
LONG_KEY_WORDS_MIN = 4
LONG_KEY_RATIO = 0.75
CLUE_CHARACTERS_MIN = 5
SHORT_KEY_CHARACTERS_MAX = 40
KEY_IN_EVIDENCE_MIN = 85
TERM_IN_EXAMPLE_MIN = 80
TOLERANCE_SHARE_MAX = 0.5

# What a flaw takes from the quality of 1: a cue to the key (or a broken proof), the usual, a matter of taste.
_CUE, _USUAL, _TASTE = 0.2, 0.1, 0.05
COST_OF = {
    "longest_answer_correct": _CUE,
    "grammatical_cue": _CUE,
    "word_repeats_in_stem_and_key": _CUE,
    "convergence_cue": _USUAL,
    "answer_visible_in_stem": _CUE,
    "key_not_in_evidence": _CUE,
    "evidence_not_verbatim": _USUAL,
    "refers_to_source_text": _CUE,
    "explanation_names_position": _CUE,
    "stem_too_short": _USUAL,
    "unfocused_stem": _USUAL,
    "negative_worded_stem": _USUAL,
    "not_a_statement": _USUAL,
    "absolute_terms": _USUAL,
    "vague_terms": _TASTE,
    "term_in_definition": _USUAL,
    "term_not_in_example": _USUAL,
    "wide_tolerance": _USUAL,
    # Of a batch as a whole, given when it is saved: the question by itself is none the worse.
    balance.KEY_POSITION: 0.0,
    balance.TRUE_FALSE: 0.0,
}

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_FOCUS_MARKS = frozenset((*_QUESTION_MARKS, ":", ".", "_", ";", "\u2026", "\uff1a", "\u3002"))


def flaws_of(content: Content, *, explanation: str, quote: str, language: str) -> tuple[str, ...]:
    """The codes of what a reviewer should look at. `quote` is the evidence as the module has it."""
    return (*_wording_flaws(content, explanation), *_own_flaws(content, quote, language))


def quality_of(flaws: Sequence[str]) -> float:
    """1 minus the costs of the flaws, not below 0: a question of 0.9 has one ordinary flaw or two small ones."""
    return max(0.0, round(1 - sum(COST_OF[flaw] for flaw in flaws), 2))


def shows(stem: str, answer: str) -> bool:
    """Whether the answer can be read in the stem: as whole words, or anywhere in a script without word spaces."""
    wanted = _bare(answer)
    if puts_spaces_between_words(wanted):
        return f" {wanted} " in f" {_bare(stem)} "
    return len(wanted) > 1 and wanted in _bare(stem)


def _wording_flaws(content: Content, explanation: str) -> Iterator[str]:
    stem = content.stem if isinstance(content, Matching) else preview_of(content)
    if cues.refers_to_source(stem):
        yield "refers_to_source_text"
    if isinstance(content, MultipleChoice | MultipleResponse) and cues.names_position(explanation):
        yield "explanation_names_position"
    is_sentence = not isinstance(content, Flashcard | Vocabulary)
    if is_sentence and len(stem.split()) < STEM_WORDS_MIN and _is_short(stem):
        yield "stem_too_short"


def _is_short(stem: str) -> bool:
    """A stem of few words is long all the same in a script that puts no spaces between them."""
    return puts_spaces_between_words(stem) or len(stem) < STEM_CHARACTERS_MIN


def _own_flaws(content: Content, quote: str, language: str) -> Iterator[str]:  # noqa: C901 - one arm a question type
    match content:
        case MultipleChoice():
            yield from _choice_flaws(content, language)
            yield from _unproved([content.options[content.answer]], quote)
        case MultipleResponse():
            yield from _choice_flaws(content, language)
            yield from _unproved([content.options[index] for index in content.answers], quote)
        case TrueFalse():
            yield from _statement_flaws(content.stem, language)
        case FillInBlank():
            yield from _unproved(content.answers[:1], quote)
        case ShortAnswer():
            yield from _short_answer_flaws(content, language)
            yield from _unproved(content.answers[:1], quote)
        case Matching():
            yield from _matching_flaws(content, language)
            yield from _unproved([text for pair in content.pairs for text in (pair.left, pair.right)], quote)
        case Numeric():
            yield from _numeric_flaws(content, quote, language)
        case Vocabulary():
            yield from _vocabulary_flaws(content, quote)
        case Flashcard():
            return
        case _:
            assert_never(content)


def _choice_flaws(question: MultipleChoice | MultipleResponse, language: str) -> Iterator[str]:
    if not _FOCUS_MARKS.intersection(question.stem):
        yield "unfocused_stem"
    if cues.is_negative(question.stem, language):
        yield "negative_worded_stem"
    if any(cues.has_absolute_term(option, language) for option in question.options):
        yield "absolute_terms"
    if any(cues.has_vague_term(option, language) for option in question.options):
        yield "vague_terms"
    if cues.article_fits_few(question.stem, question.options, language):
        yield "grammatical_cue"
    yield from _key_cues(question)


def _key_cues(question: MultipleChoice | MultipleResponse) -> Iterator[str]:
    """What sets the key apart from its distractors for somebody who knows nothing of the matter.

    Of several keys, what sets all of them apart: a cue that only one of them has leads to one of them at most.
    """
    indexes = {question.answer} if isinstance(question, MultipleChoice) else set(question.answers)
    keys = [option for index, option in enumerate(question.options) if index in indexes]
    distractors = [option for index, option in enumerate(question.options) if index not in indexes]
    shortest, longest = min(map(len, keys)), max(map(len, distractors))
    if all(len(key.split()) >= LONG_KEY_WORDS_MIN for key in keys) and longest < LONG_KEY_RATIO * shortest:
        yield "longest_answer_correct"
    if _repeats_word(question.stem, keys, distractors):
        yield "word_repeats_in_stem_and_key"
    words_of = {option: _clue_words(option) for option in question.options}
    counts = Counter(word for words in words_of.values() for word in words)
    recurring = {word for word, count in counts.items() if count > 1}
    shared = {option: len(words & recurring) for option, words in words_of.items()}
    if min(shared[key] for key in keys) > max(shared[distractor] for distractor in distractors):
        yield "convergence_cue"


def _repeats_word(stem: str, keys: Sequence[str], distractors: Sequence[str]) -> bool:
    """Whether a word of the stem stands in every key and in no distractor."""
    in_keys = set.intersection(*map(_clue_words, keys))
    return bool((in_keys & _clue_words(stem)).difference(*map(_clue_words, distractors)))


def _clue_words(text: str) -> set[str]:
    return {word for word in text_form(text).split() if len(word) >= CLUE_CHARACTERS_MIN}


def _statement_flaws(stem: str, language: str) -> Iterator[str]:
    if stem.endswith(_QUESTION_MARKS):
        yield "not_a_statement"
    if cues.is_negative(stem, language):
        yield "negative_worded_stem"
    if cues.has_absolute_term(stem, language):
        yield "absolute_terms"
    if cues.has_vague_term(stem, language):
        yield "vague_terms"


def _short_answer_flaws(question: ShortAnswer, language: str) -> Iterator[str]:
    if cues.is_negative(question.stem, language):
        yield "negative_worded_stem"
    # Not an error: "TCP or UDP, which one is reliable?" is a fair question.
    if shows(question.stem, question.answers[0]):
        yield "answer_visible_in_stem"


def _vocabulary_flaws(question: Vocabulary, quote: str) -> Iterator[str]:
    if shows(question.definition, question.term):
        yield "term_in_definition"
    # Alike is enough: many languages inflect the term.
    term = key_form(question.term)
    if max(fuzz.partial_ratio(term, key_form(text)) for text in (question.example, quote)) < TERM_IN_EXAMPLE_MIN:
        yield "term_not_in_example"


def _matching_flaws(question: Matching, language: str) -> Iterator[str]:
    if cues.is_negative(question.stem, language):
        yield "negative_worded_stem"
    rights = [pair.right for pair in question.pairs]
    texts = [*rights, *question.extra_rights]
    if any(cues.has_absolute_term(text, language) for text in texts):
        yield "absolute_terms"
    if any(cues.has_vague_term(text, language) for text in texts):
        yield "vague_terms"
    # Each left is a stem of its own, its right the key, and every other right a distractor.
    if any(
        _repeats_word(pair.left, [pair.right], [text for text in texts if text != pair.right])
        for pair in question.pairs
    ):
        yield "word_repeats_in_stem_and_key"


def _numeric_flaws(question: Numeric, quote: str, language: str) -> Iterator[str]:
    answer, tolerance = question.answer, question.tolerance
    if cues.is_negative(question.stem, language):
        yield "negative_worded_stem"
    # Not an error: "6 CO2 need how many H2O?" is a fair question.
    if figures.names(question.stem, answer, tolerance=0, language=language):
        yield "answer_visible_in_stem"
    # What has to be calculated stands nowhere, so this is for the reviewer to judge.
    if not figures.names(quote, answer, tolerance=tolerance, language=language):
        yield "key_not_in_evidence"
    if answer and tolerance > TOLERANCE_SHARE_MAX * abs(answer):
        yield "wide_tolerance"


def _unproved(keys: Sequence[str], quote: str) -> Iterator[str]:
    """A short key is expected in the evidence in nearly its own words; a longer one may paraphrase it."""
    proof = key_form(quote)
    short = (form for form in map(key_form, keys) if len(form) <= SHORT_KEY_CHARACTERS_MAX)
    if any(fuzz.partial_ratio(form, proof) < KEY_IN_EVIDENCE_MIN for form in short):
        yield "key_not_in_evidence"


def _bare(text: str) -> str:
    tokens = (token.strip("()[]{}.,;:'\"!?¡¿") for token in key_form(text).split())
    return " ".join(filter(None, tokens))
