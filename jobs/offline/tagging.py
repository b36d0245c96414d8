"""Parts of speech: the only place that knows the tagger, HanTa (models for English and German come with it)."""

import re
import threading
from collections.abc import Iterator

from HanTa.HanoverTagger import UNKNOWN, HanoverTagger

from jobs.offline.languages import Grammar, Kind, Language
from jobs.offline.tokens import RARITY_MAX, Token

TOKEN = re.compile(
    r"(?<!\w)[A-Z]\.(?=\s[A-Z][a-z])"
    r"|[0-9]++(?:[.,][0-9]++)*+%?(?!-?[^\W\d_])"
    r"|[^\W_]+(?:[-./\u2019'](?!s\b)[^\W_]+|(?<=[0-9]),[0-9]+(?=-))*(?:[-+](?=[\s,.;)]|$))?"
    r"|['\u2019]s\b|[^\w\s]"
)
MEMO_MAX = 100_000
WORD_CHARACTERS_MAX = 40
VERBAL = frozenset({Kind.FINITE, Kind.VERB})


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
        self._bases: dict[str, str] = {}

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
            kind = self._kind(word, tag)
            yield Token(
                text=word,
                lower=word.casefold(),
                start=start,
                end=end,
                kind=kind,
                is_plural=self._is_plural(word, tag),
                rarity=self._tagger.rarity(word.lower()),
                may_be_verb=kind is Kind.OTHER or self._may_be_verb(word),
            )

    def _kind(self, word: str, tag: str) -> Kind:
        if word[0].isdigit() and not any(char.isalpha() for char in word):
            return Kind.NUMBER
        if not word[0].isalnum():
            return Kind.MARK
        if sum(char.isupper() for char in word) > 1 or (any(map(str.isdigit, word)) and word[0].isalpha()):
            return Kind.NAME
        kind = self._grammar.tags.get(tag, Kind.OTHER)
        if self._grammar.nouns_are_capitalised and word.islower() and kind in {Kind.NOUN, Kind.NAME}:
            return Kind.OTHER
        return kind

    def _is_plural(self, word: str, tag: str) -> bool:
        """By the tag; where tags don't tell, a noun is plural when its base form is another word, genitives aside."""
        if self._grammar.plural_tags or self._grammar.tags.get(tag) is not Kind.NOUN:
            return tag in self._grammar.plural_tags
        base = self._bases.get(word)
        if base is None:
            if len(self._bases) >= MEMO_MAX:
                self._bases = {}
            base = self._bases[word] = self._tagger.analyze(word, pos=tag)[0]
        return word not in {base, f"{base}s", f"{base}es"}

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
