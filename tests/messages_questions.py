"""The questions that tests/messages_api.py answers with: real ones about the words of the module it was sent.

Each stands on one word (the key) and a few words around it, so that as many as are asked for can be made from a text
of moderate length, all different, and each with a quote that is really there.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

Fields = dict[str, object]

_SENTENCE = re.compile(r"[^.!?\n]+(?:\n(?!\n)[^.!?\n]+)*[.!?]?")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
KEY_LETTERS_MIN = 5
REACH_WORDS = 4
LENGTH_DIFFERENCE_MAX = 2
STRIDE_WORDS = 2 * REACH_WORDS + 1
# Places in a stretch of nine words. The first two passes stay four words apart, then closer ones follow.
ORDER = (4, 0, 2, 6, 8, 1, 3, 5, 7)
PAIRS_MIN, PAIRS_MAX = 3, 6
SPARE_WORDS = ("quartz", "velvet", "lantern", "harbour")
TOPICS_MAX = 6


class Spot(NamedTuple):
    """A key with the words before and after it, as the module has them."""

    before: str
    key: str
    after: str

    @property
    def quote(self) -> str:
        return f"{self.before}{self.key}{self.after}".strip()

    def saying(self, word: str) -> str:
        return _on_one_line(f"{self.before}{word}{self.after}")


@lru_cache(maxsize=256)
def spots(text: str) -> tuple[Spot, ...]:
    """Every usable key: first those whose surroundings don't overlap, then those in between."""
    found: dict[int, list[Spot]] = {}
    for sentence in _SENTENCE.finditer(text):
        words = list(_WORD.finditer(sentence.group()))
        for place in range(1, len(words)):
            spot = _spot(sentence.group(), words, place)
            if spot is not None:
                found.setdefault(place % STRIDE_WORDS, []).append(spot)
    return tuple(spot for rest in ORDER for spot in found.get(rest, []))


def question(question_type: str, available: tuple[Spot, ...], place: int, number: int) -> Fields | None:
    """The question about the spot at `place`; the others lend wrong answers; `number` alternates true and false.

    None where the spot yields none of this type.
    """
    spot = available[place]
    wrong = _wrong_words(spot, chain(available[place + 1 :], available[:place]))
    content = _CONTENT[question_type](spot, wrong, number)
    if content is None:
        return None
    remarks = {"explanation": f"It says: {_on_one_line(spot.quote)}", "cognitive_level": "remember", "tags": [spot.key]}
    return {"quote": spot.quote, **content, **remarks}


def topics(text: str) -> list[Fields]:
    """Named by the longest word of every second sentence, the last one first, so that someone has to put them right."""
    sentences = [" ".join(found.group().split()) for found in _SENTENCE.finditer(text) if _WORD.search(found.group())]
    chosen = sentences[::2][:TOPICS_MAX]
    return [{"quote": sentence, "name": max(_WORD.findall(sentence), key=len)} for sentence in reversed(chosen)]


def _spot(sentence: str, words: list[re.Match[str]], place: int) -> Spot | None:
    first = words[max(0, place - REACH_WORDS)]
    last = words[min(len(words) - 1, place + REACH_WORDS)]
    key = words[place]
    spot = Spot(sentence[first.start() : key.start()], key.group(), sentence[key.end() : last.end()])
    around = f"{spot.before} {spot.after}"
    is_clear = len(spot.key) >= KEY_LETTERS_MIN and sentence.casefold().count(spot.key.casefold()) == 1
    return spot if is_clear and len(_WORD.findall(around)) >= REACH_WORDS else None


def _wrong_words(spot: Spot, others: Iterable[Spot]) -> list[str]:
    taken = {spot.key.casefold(), *(word.casefold() for word in _WORD.findall(spot.quote))}
    alike = (other.key for other in others if abs(len(other.key) - len(spot.key)) <= LENGTH_DIFFERENCE_MAX)
    wrong: list[str] = []
    for word in chain(alike, SPARE_WORDS):
        if word.casefold() not in taken:
            wrong.append(word)
            taken.add(word.casefold())
        if len(wrong) == 3:
            break
    return wrong


def _multiple_choice(spot: Spot, wrong: list[str], number: int) -> Fields:
    return {"stem": f'Which word is missing: "{spot.saying("...")}"?', "key": spot.key, "distractors": wrong}


def _multiple_response(spot: Spot, wrong: list[str], number: int) -> Fields | None:
    others = [word for word in _words_once(spot) if word.casefold() != spot.key.casefold()]
    if not others:
        return None
    second = max(others, key=len)
    stem = re.sub(rf"(?<!\w){re.escape(second)}(?!\w)", "...", spot.saying("..."))
    return {"stem": f'Complete this: "{stem}".', "keys": [spot.key, second], "distractors": wrong}


def _true_false(spot: Spot, wrong: list[str], number: int) -> Fields:
    is_true = number % 2 == 0
    return {"stem": f"{spot.saying(spot.key if is_true else wrong[0])}.", "answer": is_true}


def _fill_in_blank(spot: Spot, wrong: list[str], number: int) -> Fields:
    return {"stem": f"{spot.saying('____')}.", "answers": [spot.key]}


def _short_answer(spot: Spot, wrong: list[str], number: int) -> Fields:
    before, after = _on_one_line(spot.before), _on_one_line(spot.after)
    return {"stem": f'Which word stands between "{before}" and "{after}"?', "answers": [spot.key]}


def _matching(spot: Spot, wrong: list[str], number: int) -> Fields | None:
    """Each word of the spot with the one that follows it."""
    words = [word.group() for word in _WORD.finditer(spot.quote)]
    once = set(_words_once(spot))
    pairs = [{"left": left, "right": right} for left, right in pairwise(words) if {left, right} <= once]
    if len(pairs) < PAIRS_MIN:
        return None
    return {"stem": "Which word follows which?", "pairs": pairs[:PAIRS_MAX], "extra_rights": wrong[:1]}


def _numeric(spot: Spot, wrong: list[str], number: int) -> Fields:
    letters = sum(map(str.isalpha, spot.quote))
    return {"stem": f'How many letters are in "{spot.saying(spot.key)}"?', "answer": letters, "tolerance": 0}


def _words_once(spot: Spot) -> list[str]:
    """The words of the spot that it holds a single time."""
    words = [word.group() for word in _WORD.finditer(spot.quote)]
    counts = Counter(map(str.casefold, words))
    return [word for word in words if counts[word.casefold()] == 1]


def _flashcard(spot: Spot, wrong: list[str], number: int) -> Fields:
    return {"front": f"Complete: {spot.saying('...')}", "back": spot.key}


def _vocabulary(spot: Spot, wrong: list[str], number: int) -> Fields:
    definition = f"What fits in: {spot.saying('...')}"
    return {"term": spot.key, "definition": definition, "example": f"{_on_one_line(spot.quote)}."}


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


_CONTENT: dict[str, Callable[[Spot, list[str], int], Fields | None]] = {
    "multiple_choice": _multiple_choice,
    "true_false": _true_false,
    "fill_in_blank": _fill_in_blank,
    "short_answer": _short_answer,
    "flashcard": _flashcard,
    "vocabulary": _vocabulary,
    "multiple_response": _multiple_response,
    "matching": _matching,
    "numeric": _numeric,
}
