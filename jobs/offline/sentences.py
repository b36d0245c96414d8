"""The sentences of a module that stand alone: complete, self-contained prose a question can be made of."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jobs.offline.blocks import Block, prose
from jobs.offline.languages import Habits, Language

CHARACTERS_MIN, CHARACTERS_MAX = 25, 400
WORDS_MIN = 6
WORDS_MAX = 40
FUNCTION_WORDS_MIN = 2
FUNCTION_WORDS_SHARE_MIN = 0.18
LETTERS_SHARE_MIN = 0.7
WORD_CHARACTERS_MAX = 40

BOUNDARY = re.compile(r"[.!?][)\"”“\u2019»']{0,3}(?=\s)")
LAST_WORD = re.compile(r"[^\s(\"“„«']{1,20}$")
MARKUP = (
    (re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,300}\)"), ""),
    (re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]{0,300}\)"), r"\1"),
    (re.compile(r"\s?\[(?:\^?\w{1,12}|[0-9, \u2013-]{1,20})\]"), ""),
    (re.compile(r"(\*\*|__)(?=\S)(.{1,200}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])[*_](?=\S)([^*_\n]{1,200}?)(?<=\S)[*_](?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]{1,80})`"), r"\1"),
    (re.compile(r"[\u00ad\u200b\u2060\ufeff]"), ""),
    (re.compile(r"\s+"), " "),
)
CODE = re.compile(
    r"[{}<>|\\=^~`@#$§\[\]→←⇒∑∫…]|://|\w/\w+/|--\w|\w_\w|\w\(\)|(?:^|\s)\.?/\w|\w;\w|\s[.,;]|\(\s?\)|(?:^|\s)-\w|\*\.|\w-\s(?!and\b|or\b|und\b|oder\b)"
)
APOSTROPHE = re.compile(r"['\u2019]")
WORD = re.compile(r"[^\W_]+(?:[-\u2019'./][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`module[start:end] == quote`; `text` is the quote as a sentence of its own.

    That is: without markup, line breaks and a leading connective, and with a verb if it is an entry of a glossary.
    """

    start: int
    end: int
    quote: str
    text: str
    is_list_entry: bool

    @property
    def said(self) -> str:
        """The quote as a reader of the module sees it."""
        return clean(self.quote)


def standing_alone(module: str, language: Language, go_on: Callable[[], None]) -> Iterator[Sentence]:
    """The sentences fit for questions, in the order of the module. `go_on` is called again and again; it may raise."""
    for block in prose(module):
        go_on()
        for sentence in _sentences(module, block, language.habits):
            go_on()
            if _stands_alone(sentence.text, language.habits):
                yield sentence


def _sentences(module: str, block: Block, habits: Habits) -> Iterator[Sentence]:
    for start, end in _spans(module, block, habits):
        quote = module[start:end]
        if CHARACTERS_MIN <= len(quote) <= CHARACTERS_MAX:
            text = from_entry(without_connective(clean(quote), habits), habits)
            yield Sentence(start, end, quote, text, block.is_list_entry)


def _spans(module: str, block: Block, habits: Habits) -> Iterator[tuple[int, int]]:
    start = block.start
    for match in BOUNDARY.finditer(module, block.start, block.end):
        if _is_abbreviation(module[max(start, match.start() - 24) : match.start()], habits):
            continue
        yield _trimmed(module, start, match.end())
        start = match.end()
    yield _trimmed(module, start, block.end)


def _trimmed(module: str, start: int, end: int) -> tuple[int, int]:
    while start < end and module[start].isspace():
        start += 1
    while end > start and module[end - 1].isspace():
        end -= 1
    return start, end


def _is_abbreviation(before: str, habits: Habits) -> bool:
    """Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal."""
    last = LAST_WORD.search(before)
    if last is None:
        return False
    return last.group().lower().rstrip(".") in habits.abbreviations or habits.initial.search(before) is not None


def clean(quote: str) -> str:
    """`quote` as a reader sees it."""
    for pattern, replacement in MARKUP:
        quote = pattern.sub(replacement, quote)
    return quote.strip()


def without_connective(text: str, habits: Habits) -> str:
    """`text` without a leading word that ties it to the sentence before, such as "However, "."""
    head, comma, rest = text.partition(", ")
    if comma and rest and head.lower() in habits.connectives:
        return rest[0].upper() + rest[1:]
    return text


def from_entry(text: str, habits: Habits) -> str:
    """ "Stroma: the fluid that ..." as a sentence; anything else as it is."""
    match = habits.entry.fullmatch(text.rstrip("."))
    if match is None:
        return text
    term, body = match["term"].strip(), match["body"]
    words = {word.lower() for word in WORD.findall(term)}
    is_plural = term.endswith("s") and not term.endswith(("ss", "is", "us"))
    if is_plural or not words.isdisjoint(habits.labels | habits.openers | habits.generic | habits.function_words):
        return text
    return f"{term[0].upper()}{term[1:]} {habits.entry_verb} {body[0].lower()}{body[1:]}."


def _stands_alone(text: str, habits: Habits) -> bool:
    words = WORD.findall(text)
    if not WORDS_MIN <= len(words) <= WORDS_MAX or max(map(len, words)) > WORD_CHARACTERS_MAX:
        return False
    return (
        _has_shape(text)
        and APOSTROPHE.split(words[0].lower())[0] not in habits.openers
        and habits.dangling.search(text) is None
        and _reads_as(words, habits)
        and sum(word.isupper() and len(word) > 1 for word in words) <= len(words) // 2
    )


def _reads_as(words: list[str], habits: Habits) -> bool:
    """Whether the small words are those of the language: leaves out other languages, titles and lists of names."""
    count = sum(word.lower() in habits.function_words for word in words)
    return count >= max(FUNCTION_WORDS_MIN, FUNCTION_WORDS_SHARE_MIN * len(words))


def _has_shape(text: str) -> bool:
    """Whether `text` looks like one declarative sentence rather than code, a question or a fragment."""
    return (
        text.endswith((".", ".”", ".“", '."'))
        and _starts_anew(text)
        and CODE.search(text) is None
        and ":" not in text[:40]
        and text.count("(") == text.count(")")
        and text.count('"') % 2 == 0
        and sum(char.isalpha() or char.isspace() for char in text) >= LETTERS_SHARE_MIN * len(text)
    )


def _starts_anew(text: str) -> bool:
    first = text.lstrip('"“„«').split(" ", 1)[0]
    return first[:1].isdigit() or any(char.isupper() for char in first)
