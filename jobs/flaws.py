"""Item-writing flaws that a reviewer should see: warnings, never reasons to reject (DESIGN 6).

The names are those of SAQUET and the NBME guide where they have one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import assert_never

from rapidfuzz import fuzz

from jobs import cues
from jobs.characters import puts_spaces_between_words
from jobs.duplicates import key_form, text_form
from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    MultipleChoice,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    preview_of,
)

STEM_WORDS_MIN = 4
STEM_CHARACTERS_MIN = 8
LONG_KEY_WORDS_MIN = 4
LONG_KEY_RATIO = 0.75
CLUE_CHARACTERS_MIN = 5
SHORT_KEY_CHARACTERS_MAX = 40
KEY_IN_EVIDENCE_MIN = 85
TERM_IN_EXAMPLE_MIN = 80

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
}

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_FOCUS_MARKS = frozenset((*_QUESTION_MARKS, ":", ".", "_", ";", "\u2026", "\uff1a", "\u3002"))
_VOWELS = frozenset("aeiou")


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
    stem = preview_of(content)
    if cues.refers_to_source(stem):
        yield "refers_to_source_text"
    if isinstance(content, MultipleChoice) and cues.names_position(explanation):
        yield "explanation_names_position"
    is_sentence = not isinstance(content, Flashcard | Vocabulary)
    if is_sentence and len(stem.split()) < STEM_WORDS_MIN and _is_short(stem):
        yield "stem_too_short"


def _is_short(stem: str) -> bool:
    """A stem of few words is long all the same in a script that puts no spaces between them."""
    return puts_spaces_between_words(stem) or len(stem) < STEM_CHARACTERS_MIN


def _own_flaws(content: Content, quote: str, language: str) -> Iterator[str]:
    match content:
        case MultipleChoice():
            yield from _choice_flaws(content, language)
            yield from _unproved(content.options[content.answer], quote)
        case TrueFalse():
            yield from _statement_flaws(content.stem, language)
        case FillInBlank():
            yield from _unproved(content.answers[0], quote)
        case ShortAnswer():
            yield from _short_answer_flaws(content, language)
            yield from _unproved(content.answers[0], quote)
        case Vocabulary():
            yield from _vocabulary_flaws(content, quote)
        case Flashcard():
            return
        case _:
            assert_never(content)


def _choice_flaws(question: MultipleChoice, language: str) -> Iterator[str]:
    if not _FOCUS_MARKS.intersection(question.stem):
        yield "unfocused_stem"
    if cues.is_negative(question.stem, language):
        yield "negative_worded_stem"
    if any(cues.has_absolute_term(option, language) for option in question.options):
        yield "absolute_terms"
    if any(cues.has_vague_term(option, language) for option in question.options):
        yield "vague_terms"
    if language.lower().startswith("en") and cues.gives_article_away(question.stem) and _differ_in_vowel(question):
        yield "grammatical_cue"
    yield from _key_cues(question)


def _key_cues(question: MultipleChoice) -> Iterator[str]:
    """What sets the key apart from its distractors for somebody who knows nothing of the matter."""
    key = question.options[question.answer]
    distractors = [option for option in question.options if option != key]
    longest = max(map(len, distractors))
    if len(key.split()) >= LONG_KEY_WORDS_MIN and longest < LONG_KEY_RATIO * len(key):
        yield "longest_answer_correct"
    key_words, *other_words = (_clue_words(option) for option in (key, *distractors))
    if (key_words & _clue_words(question.stem)).difference(*other_words):
        yield "word_repeats_in_stem_and_key"
    counts = Counter(word for words in (key_words, *other_words) for word in words)
    recurring = {word for word, count in counts.items() if count > 1}
    if len(key_words & recurring) > max(len(words & recurring) for words in other_words):
        yield "convergence_cue"


def _clue_words(text: str) -> set[str]:
    return {word for word in text_form(text).split() if len(word) >= CLUE_CHARACTERS_MIN}


def _differ_in_vowel(question: MultipleChoice) -> bool:
    return len({option[:1].lower() in _VOWELS for option in question.options}) > 1


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


def _unproved(key: str, quote: str) -> Iterator[str]:
    """A short key is expected in the evidence in nearly its own words; a longer one may paraphrase it."""
    form = key_form(key)
    if len(form) <= SHORT_KEY_CHARACTERS_MAX and fuzz.partial_ratio(form, key_form(quote)) < KEY_IN_EVIDENCE_MIN:
        yield "key_not_in_evidence"


def _bare(text: str) -> str:
    tokens = (token.strip("()[]{}.,;:'\"!?¡¿") for token in key_form(text).split())
    return " ".join(filter(None, tokens))
