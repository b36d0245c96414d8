"""What makes two questions the same: the normal forms of their words, and the search for a repeat (DESIGN 6)."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from rapidfuzz import fuzz, process

from jobs.characters import DASHES, DOUBLE_QUOTES, INVISIBLE, SINGLE_QUOTES
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

SIMILARITY_MIN = 85

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


class Taken:
    """What a quiz asks already: each question is sorted in once, by its type, however many are compared with it.

    `duplicate_of` finds in it what it finds in a list, without a look at every question of the quiz.
    """

    def __init__(self, fingerprints: Iterable[Fingerprint] = (), *, beside: "Taken | None" = None) -> None:
        """`beside`: what counts as taken too, also what is added to it later."""
        self._of_type: defaultdict[str, _Rivals] = defaultdict(_Rivals)
        self._beside = beside
        self.extend(fingerprints)

    def __iter__(self) -> Iterator[Fingerprint]:
        """Type by type; those of one type in the order they came."""
        own = chain.from_iterable(rivals.fingerprints for rivals in self._of_type.values())
        return own if self._beside is None else chain(self._beside, own)

    def append(self, fingerprint: Fingerprint) -> None:
        self._of_type[_prefix_of(fingerprint)].append(fingerprint)

    def extend(self, fingerprints: Iterable[Fingerprint]) -> None:
        for fingerprint in fingerprints:
            self.append(fingerprint)

    def twin_of(self, fingerprint: Fingerprint) -> Fingerprint | None:
        rivals = self._of_type.get(_prefix_of(fingerprint))
        own = rivals.twin_of(fingerprint) if rivals else None
        return own or (self._beside.twin_of(fingerprint) if self._beside else None)


def duplicate_of(fingerprint: Fingerprint, taken: Iterable[Fingerprint]) -> Fingerprint | None:
    """The question among those taken that asks the same, if any.

    Same: of one type, and the same key on overlapping evidence, or stem and key at least 85 % alike. A vocabulary
    term is the same wherever it is proved: a list holds each term once.
    """
    if isinstance(taken, Taken):
        return taken.twin_of(fingerprint)
    prefix = _prefix_of(fingerprint)
    return _Rivals([other for other in taken if other.key.startswith(prefix)]).twin_of(fingerprint)


class _Rivals:
    """Of one type. What is compared is copied into lists: a search of a list of texts is many times faster."""

    def __init__(self, fingerprints: Sequence[Fingerprint] = ()) -> None:
        self.fingerprints = list(fingerprints)
        self._keys = [fingerprint.key for fingerprint in fingerprints]
        self._texts = [fingerprint.text for fingerprint in fingerprints]

    def append(self, fingerprint: Fingerprint) -> None:
        self.fingerprints.append(fingerprint)
        self._keys.append(fingerprint.key)
        self._texts.append(fingerprint.text)

    def twin_of(self, fingerprint: Fingerprint) -> Fingerprint | None:
        return self._with_same_key(fingerprint) or self._alike(fingerprint)

    def _with_same_key(self, fingerprint: Fingerprint) -> Fingerprint | None:
        if fingerprint.key not in self._keys:
            return None
        is_vocabulary = _prefix_of(fingerprint) == f"{QuestionType.VOCABULARY}:"
        same = (other for other in self.fingerprints if other.key == fingerprint.key)
        return next((other for other in same if is_vocabulary or _overlap(fingerprint, other)), None)

    def _alike(self, fingerprint: Fingerprint) -> Fingerprint | None:
        closest = process.extractOne(fingerprint.text, self._texts, scorer=fuzz.ratio, score_cutoff=SIMILARITY_MIN)
        return self.fingerprints[closest[2]] if closest else None


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


def _prefix_of(fingerprint: Fingerprint) -> str:
    return fingerprint.key.partition(":")[0] + ":"


def _overlap(one: Fingerprint, other: Fingerprint) -> bool:
    return one.module_id == other.module_id and one.start < other.end and other.start < one.end
