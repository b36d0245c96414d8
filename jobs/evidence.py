"""Where a module proves an answer: finds a quote in a text, however the quote was spaced, and nearly word for word."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from schemas.base import Frozen
from service.rules.characters import DASHES, DOUBLE_QUOTES, INVISIBLE, SINGLE_QUOTES, SPACES, puts_spaces_between_words

SIMILARITY_MIN = 95
# Of a shorter quote, 95 % is not enough to tell it from something else.
APPROXIMATE_CHARACTERS_MIN = 12
# Bounds of the search for a quote that is not verbatim, so that no text makes it slow.
PIECES_MAX = 40
OCCURRENCES_MAX = 200
WINDOWS_MAX = 12
WORD_CHARACTERS_MAX = 40
# A worker runs some 20 batches at a time; each has one module.
FOLDED_TEXTS_MAX = 32

# One character becomes one character, so that positions stay.
_LEVELLED = {
    **dict.fromkeys(map(ord, SPACES), " "),
    **dict.fromkeys(map(ord, DOUBLE_QUOTES), '"'),
    **dict.fromkeys(map(ord, SINGLE_QUOTES), "'"),
    **dict.fromkeys(map(ord, DASHES), "-"),
    ord("İ"): "i",  # its lower case is two characters
}
# Nobody sees these in a text, or they are Markdown's emphasis, which models leave out when they quote.
_UNSEEN = f"{INVISIBLE}*_`"
_SHRINKING = re.compile(f"[ {_UNSEEN}]{{2,}}|[{_UNSEEN}]")


class Span(Frozen):
    """text[start:end], in code points. Not verbatim: the text says it in slightly other words than the quote."""

    start: int
    end: int
    is_verbatim: bool


class _Folded:
    """A text without what does not count, and the way back to the positions of the original."""

    def __init__(self, text: str) -> None:
        levelled = text.translate(_LEVELLED).lower()
        pieces: list[str] = []
        self._marks, self._shifts = [0], [0]
        at = length = 0
        for match in _SHRINKING.finditer(levelled):
            kept = " " if " " in match[0] else ""
            pieces += (levelled[at : match.start()], kept)
            length += match.start() - at + len(kept)
            at = match.end()
            self._marks.append(length)
            self._shifts.append(at - length)
        pieces.append(levelled[at:])
        self.text = "".join(pieces)

    def span(self, start: int, end: int, *, is_verbatim: bool) -> Span:
        return Span(start=self._original(start), end=self._original(end - 1) + 1, is_verbatim=is_verbatim)

    def _original(self, position: int) -> int:
        return position + self._shifts[bisect_right(self._marks, position) - 1]


_folded_text = lru_cache(maxsize=FOLDED_TEXTS_MAX)(_Folded)


def locate(quote: str, text: str) -> Span | None:
    """Where the quote stands in the text; None when it does not.

    Tried in this order: as it is; without regard to spacing, case and the shape of quotation marks and dashes;
    without the quote's own quotation marks and full stop; at least 95 % alike.
    """
    if not any(map(str.isalnum, quote)):
        return None
    wanted = quote.strip()
    at = _find(wanted, text)
    if at is not None:
        return Span(start=at, end=at + len(wanted), is_verbatim=True)
    source = _folded_text(text)
    folded = _Folded(quote).text.strip()
    for form in (folded, folded.strip(" .,;:\"'…")):
        at = _find(form, source.text)
        if at is not None:
            return source.span(at, at + len(form), is_verbatim=True)
    found = _approximate(folded, source.text)
    return source.span(*found, is_verbatim=False) if found else None


def _find(wanted: str, text: str) -> int | None:
    """The first place that holds the wanted words; a short quote must not begin or end inside a word."""
    at = text.find(wanted)
    if len(wanted) < APPROXIMATE_CHARACTERS_MIN:
        for _ in range(OCCURRENCES_MAX):
            if at < 0 or not (_splits_word(text, at) or _splits_word(text, at + len(wanted))):
                break
            at = text.find(wanted, at + 1)
        else:
            return None
    return at if at >= 0 else None


def _splits_word(text: str, position: int) -> bool:
    if not 0 < position < len(text):
        return False
    before, after = text[position - 1], text[position]
    return before.isalnum() and after.isalnum() and puts_spaces_between_words(before + after)


def _approximate(quote: str, text: str) -> tuple[int, int] | None:
    if len(quote) < APPROXIMATE_CHARACTERS_MIN or len(text) < len(quote):
        return None
    slack = _edits_max(quote) + 1
    for start in _likely_starts(quote, text):
        low = max(0, start - slack)
        window = text[low : start + len(quote) + 2 * slack]
        # Of two texts partial_ratio looks for the shorter one: in a shorter window it would find the window.
        if len(window) < len(quote):
            low = max(0, len(text) - len(quote) - slack)
            window = text[low:]
        found = fuzz.partial_ratio_alignment(quote, window, score_cutoff=SIMILARITY_MIN)
        if found:
            return _trimmed(quote, text, low + found.dest_start, low + found.dest_end)
    return None


def _edits_max(quote: str) -> int:
    """How many characters may be missing or added in all at 95 %."""
    return len(quote) * 2 * (100 - SIMILARITY_MIN) // 100


def _likely_starts(quote: str, text: str) -> Iterator[int]:
    """Cut the quote into one piece more than there may be edits: at least one piece is then in the text as it is.

    Each place where a piece is found votes for where the quote would begin; places with most votes come first.
    Of a long quote, evenly spread pieces vote, and a place needs an eighth of them.
    """
    width = _edits_max(quote) + 1
    size = len(quote) // width
    offsets = range(0, size * width, size * -(-width // PIECES_MAX))
    votes: Counter[int] = Counter()
    for offset in offsets:
        piece = quote[offset : offset + size]
        at = text.find(piece)
        for _ in range(OCCURRENCES_MAX):
            if at < 0:
                break
            votes[(at - offset) // width] += 1
            at = text.find(piece, at + 1)
    for bucket, count in votes.most_common(WINDOWS_MAX):
        if count >= len(offsets) // 8:
            yield bucket * width


def _trimmed(quote: str, text: str, start: int, end: int) -> tuple[int, int]:
    """The window is as long as the quote. Now what stands in both begins and ends it, completed to whole words."""
    shared = [block for block in Indel.opcodes(quote, text[start:end]) if block.tag == "equal"]
    start, end = start + shared[0].dest_start, start + shared[-1].dest_end
    head, tail = quote[: shared[0].src_start], quote[shared[-1].src_end :]
    # A quote that leaves out a word needs a longer window than its own length.
    start -= len(head) if text.endswith(head, 0, start) else 0
    end += len(tail) if text.startswith(tail, end) else 0
    for _ in range(WORD_CHARACTERS_MAX):
        start -= _splits_word(text, start)
        end += _splits_word(text, end)
    return start, end
