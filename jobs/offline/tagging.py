"""Parts of speech: the only place that knows the tagger, HanTa (models for English and German come with it)."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from HanTa.HanoverTagger import UNKNOWN, HanoverTagger

from jobs.offline.languages import Grammar, Kind, Language

TOKEN = re.compile(
    r"[0-9]+(?:[.,][0-9]+)*%?(?!-?[^\W\d_])"
    r"|[^\W_]+(?:[-./’'](?!s\b)[^\W_]+|(?<=[0-9]),[0-9]+(?=-))*(?:[-+](?=[\s,.;)]|$))?"
    r"|['’]s\b|[^\w\s]"
)
MEMO_MAX = 100_000
RARITY_MAX = 16.0
WORD_CHARACTERS_MAX = 40
VERBAL = frozenset({Kind.FINITE, Kind.VERB})


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `text` is `sentence[start:end]`; `rarity` is the negative log of its frequency in general language."""

    text: str
    start: int
    end: int
    kind: Kind
    is_plural: bool
    rarity: float
    may_be_verb: bool

    @property
    def lower(self) -> str:
        return self.text.casefold()


class MemoizingTagger(HanoverTagger):  # type: ignore[misc] # the library ships no types
    """HanTa analyses every occurrence of a word anew; remembering the words makes it three to eight times as fast."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._analyses: dict[str, list[tuple[int, float]]] = {}

    def analyze_forward(self, word: str) -> list[tuple[int, float]]:
        known = self._analyses.get(word)
        if known is not None:
            return known
        if len(word) > WORD_CHARACTERS_MAX:
            return [(UNKNOWN, 0.0)]
        if len(self._analyses) >= MEMO_MAX:
            self._analyses = {}
        fresh = [(tag, float(weight)) for tag, weight in super().analyze_forward(word)]
        self._analyses[word] = fresh
        return fresh

    def rarity(self, word: str) -> float:
        weights = self.cache.get(word) or self.analyze_forward(word)
        return min(RARITY_MAX, -max(float(weight) for _, weight in weights))


class Tagger:
    """Tags the words of sentences of one language. Safe to share between threads."""

    def __init__(self, language: Language) -> None:
        self._grammar: Grammar = language.grammar
        self._tagger = MemoizingTagger(language.model)

    def tokens(self, text: str) -> tuple[Token, ...]:
        """The words of one sentence; none when the tagger finds no reading of it."""
        spans = [match.span() for match in TOKEN.finditer(text)]
        try:
            tags: list[str] = self._tagger.tag_sent([text[start:end] for start, end in spans], taglevel=0)
        except (KeyError, IndexError):  # no path through the tagger's model; it has no error class of its own
            return ()
        return tuple(self._read(text, spans, tags))

    def _read(self, text: str, spans: list[tuple[int, int]], tags: list[str]) -> Iterator[Token]:
        for (start, end), tag in zip(spans, tags, strict=True):
            word = text[start:end]
            yield Token(
                text=word,
                start=start,
                end=end,
                kind=self._kind(word, tag),
                is_plural=tag in self._grammar.plural_tags,
                rarity=self._tagger.rarity(word.lower()),
                may_be_verb=self._may_be_verb(word),
            )

    def _kind(self, word: str, tag: str) -> Kind:
        if word[0].isdigit() and not any(char.isalpha() for char in word):
            return Kind.NUMBER
        if not word[0].isalnum():
            return Kind.MARK
        if sum(char.isupper() for char in word) > 1 or (any(map(str.isdigit, word)) and word[0].isalpha()):
            return Kind.NAME
        return self._grammar.tags.get(tag, Kind.OTHER)

    def _may_be_verb(self, word: str) -> bool:
        readings = self._tagger.tag_word(word) if word.islower() and word.isalpha() else ()
        return any(self._grammar.tags.get(tag) in VERBAL for tag, _ in readings)


_LOADING = threading.Lock()
_LOADED: dict[str, Tagger] = {}


def tagger_for(language: Language) -> Tagger:
    """The tagger of `language`, loaded once for the process (0.2 to 0.4 s)."""
    with _LOADING:
        if language.code not in _LOADED:
            _LOADED[language.code] = Tagger(language)
        return _LOADED[language.code]
