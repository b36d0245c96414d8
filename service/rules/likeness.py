"""The normal forms of a question's words: equal where a reader takes two for the same."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from schemas.questions import (
    CONTENT_OF,
    Content,
    Evidence,
    FillInBlank,
    Fingerprint,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
    figure_of,
)
from schemas.states import QuestionType
from service.rules.characters import DASHES, DOUBLE_QUOTES, INVISIBLE, SINGLE_QUOTES

_TYPE_OF = {content: question_type for question_type, content in CONTENT_OF.items()}
# NFKC would turn 10⁶ into 106, another number.
_SUPERSCRIPT = re.compile("[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u207a\u207b]+")
# Scripts beyond this point have no punctuation of their own that matters here, and NFKC has folded the wide forms.
_PUNCTUATION_MAX = 0x3100
_UNIFIED = {
    **dict.fromkeys(map(ord, DOUBLE_QUOTES), '"'),
    **dict.fromkeys(map(ord, SINGLE_QUOTES), "'"),
    **dict.fromkeys(map(ord, DASHES), "-"),
    **dict.fromkeys(map(ord, INVISIBLE)),
}
_PUNCTUATION = {point: " " for point in range(_PUNCTUATION_MAX) if unicodedata.category(chr(point))[0] == "P"}


def key_form(text: str) -> str:
    """Equal for answers that a reader takes for the same: case, spacing, Unicode form, quotes, a final full stop.

    Marks inside a word stay, and so do brackets and operators: -5, C++, f(x), f' and [1] are answers of their own.
    """
    tokens = (token.strip('"').rstrip(".,;:") for token in _plain(text).split())
    return " ".join(filter(None, tokens)) or _plain(text).strip()


def text_form(text: str) -> str:
    """Equal for texts that differ in case, spacing, Unicode form or any punctuation."""
    return " ".join(_plain(text).translate(_PUNCTUATION).split()) or key_form(text)


def fingerprint_of(content: Content, evidence: Evidence) -> Fingerprint:
    """The key and the hash begin with the question type: only questions of one type are compared.

    A flashcard, a cloze and a multiple-choice question on one sentence are what the `both` preset is for.
    """
    question_type = _TYPE_OF[type(content)]
    stem, key = _stem_and_key(content)
    text = text_form(f"{stem} {key}")
    # A statement's answer says nothing about what is asked, so the statement itself is the key.
    key_normal = text_form(stem) if question_type is QuestionType.TRUE_FALSE else key_form(key)
    return Fingerprint(
        text=text,
        key=f"{question_type}:{key_normal}",
        module_id=evidence.module_id,
        start=evidence.start,
        end=evidence.end,
        hash=hashlib.sha256(f"{question_type}:{text}".encode("utf-8", "surrogatepass")).hexdigest(),
    )


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()  # the same, ten times faster: all that is folded below but case is beyond ASCII
    folded = unicodedata.normalize("NFKC", _SUPERSCRIPT.sub(r"^\g<0>", text)).casefold()
    return unicodedata.normalize("NFKC", folded.translate(_UNIFIED))


def _stem_and_key(content: Content) -> tuple[str, str]:  # noqa: C901, PLR0911 - one arm a question type
    match content:
        case MultipleChoice():
            return content.stem, content.options[content.answer]
        case MultipleResponse():
            return content.stem, _in_one_order(content.options[index] for index in content.answers)
        case TrueFalse():
            return content.stem, str(content.answer)
        case FillInBlank() | ShortAnswer():
            return content.stem, content.answers[0]
        case Matching():
            return content.stem, _in_one_order(f"{pair.left}: {pair.right}" for pair in content.pairs)
        case Numeric():
            return content.stem, figure_of(content.answer)
        case Flashcard():
            return content.front, content.back
        case Vocabulary():
            return content.definition, content.term


def _in_one_order(parts: Iterable[str]) -> str:
    """Right options and pairs make the same question in any order."""
    return "; ".join(sorted(parts, key=key_form))
