"""Numbers in a sentence that are worth asking for, and wrong ones that look as likely."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum

from jobs.offline.chance import draw, shuffled
from jobs.offline.languages import Kind, Language
from jobs.offline.statements import Statement
from jobs.offline.tokens import Token

PLAIN = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]+(?:[.,][0-9]+)?")
FIRST_YEAR = 1400
LAST_YEAR = 2100
YEAR_SPREAD = 60
YEAR_DIGITS = 4
YEARS = "#"  # no word, so no unit either
GROUP_MAX = 60
STEPS = ((-2, -1, 1), (-1, 1, 2), (1, 2, 3), (-3, -2, -1), (-3, -1, 2))
SCALES = (("0.5", "1.5", "2"), ("0.25", "0.5", "1.5"), ("1.5", "2", "3"), ("0.25", "0.5", "0.75"))
SMALL_MAX = 12
PERCENT_MAX = 100
FIRST_NUMERAL = 2
JOINTS = frozenset({"to", "-", "\u2013", "or", "bis", "oder", "/", ":", ","})
LABELS = frozenset({"version", "release", "chapter", "no", "nr", "rfc", "kapitel"})


class NumberKind(Enum):
    YEAR = "year"
    VALUE = "value"
    NUMERAL = "numeral"


@dataclass(frozen=True, slots=True)
class Number:
    """Token `place` of a statement; `unit` is the word after it, `text` the number as written."""

    statement: Statement
    place: int
    kind: NumberKind
    unit: str

    @property
    def text(self) -> str:
        return self.statement.tokens[self.place].text


def numbers_in(statements: Iterable[Statement], language: Language) -> list[Number]:
    return [number for statement in statements for number in _numbers(statement, language)]


def _numbers(statement: Statement, language: Language) -> Iterator[Number]:
    tokens = statement.tokens
    for place, token in enumerate(tokens[:-1]):
        kind = _kind(tokens, place, language)
        if kind is not None and not _is_label(tokens, place) and not _is_day(tokens, place, language):
            yield Number(statement, place, kind, tokens[place + 1].lower if token.text[-1] != "%" else "%")


def _kind(tokens: tuple[Token, ...], place: int, language: Language) -> NumberKind | None:
    token, follows = tokens[place], tokens[place + 1]
    if token.lower in language.grammar.numerals:
        return NumberKind.NUMERAL if place and _counts(tokens, place) else None
    if token.kind is not Kind.NUMBER or not PLAIN.fullmatch(token.text.rstrip("%")):
        return None
    if len(token.text) == YEAR_DIGITS and token.text.isdigit() and FIRST_YEAR <= int(token.text) <= LAST_YEAR:
        return NumberKind.YEAR if follows.kind not in {Kind.NOUN, Kind.ADJECTIVE} else NumberKind.VALUE
    return NumberKind.VALUE if token.text not in {"0", "1"} else None


def _counts(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether a noun follows: "four manganese ions"."""
    for token in tokens[place + 1 : place + 4]:
        if token.kind is Kind.NOUN:
            return True
        if token.kind not in {Kind.ADJECTIVE, Kind.NAME, Kind.PARTICIPLE}:
            return False
    return False


def _is_label(tokens: tuple[Token, ...], place: int) -> bool:
    """A number that counts nothing (a version, an item of a range) has no single right answer."""
    before = tokens[place - 1] if place else None
    after = tokens[place + 1]
    if after.lower in JOINTS and place + 2 < len(tokens) and tokens[place + 2].kind is Kind.NUMBER:
        return True
    if after.text == "+" or before is None:
        return after.text == "+"
    if before.lower in JOINTS and place > 1 and tokens[place - 2].kind is Kind.NUMBER:
        return True
    return before.lower in LABELS or before.text in "(#" or before.kind is Kind.NAME


def _is_day(tokens: tuple[Token, ...], place: int, language: Language) -> bool:
    """The day of a date: nobody should learn it, and the year can be asked for instead."""
    beside = {tokens[side].lower for side in (place - 1, place + 1) if side >= 0}
    return len(tokens[place].text) < YEAR_DIGITS and not language.grammar.calendar.isdisjoint(beside)


def grouped(numbers: Iterable[Number]) -> dict[str, tuple[str, ...]]:
    """What is counted alike in the module, by unit; years are a unit of their own."""
    groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for number in numbers:
        group = groups[_unit(number)]
        if len(group) < GROUP_MAX:
            group[number.text] = None
    return {unit: tuple(group) for unit, group in groups.items()}


def value_of(number: Number, language: Language) -> Decimal | None:
    """What a number is worth; None for digits that only look like one."""
    if number.kind is NumberKind.NUMERAL:
        return Decimal(language.grammar.numerals.index(number.text.lower()) + FIRST_NUMERAL)
    return _value(number.text, language.grammar.decimal_mark)


def wrong_numbers(number: Number, groups: Mapping[str, tuple[str, ...]], language: Language) -> list[str]:
    """Numbers of the same make, likeliest first, none of them in the sentence."""
    seed = number.statement.text
    present = {token.lower for token in number.statement.tokens}
    if number.kind is NumberKind.NUMERAL:
        found = _wrong_numerals(number.text, language, seed)
    elif number.kind is NumberKind.YEAR:
        found = _wrong_years(int(number.text), groups.get(_unit(number), ()), seed)
    else:
        found = _wrong_values(number, groups.get(_unit(number), ()), language.grammar.decimal_mark)
    return [text for text in dict.fromkeys(found) if text.lower() not in present]


def _wrong_numerals(text: str, language: Language, seed: str) -> Iterator[str]:
    numerals = language.grammar.numerals
    index = numerals.index(text.lower())
    for step in (*STEPS[draw(seed, text) % len(STEPS)], 1, 2, 3, 4, 5):
        if 0 <= index + step < len(numerals):
            yield numerals[index + step]


def _unit(number: Number) -> str:
    return YEARS if number.kind is NumberKind.YEAR else number.unit


def _wrong_years(year: int, others: Iterable[str], seed: str) -> Iterator[str]:
    near = {other for other in others if 0 < abs(int(other) - year) < YEAR_SPREAD}
    yield from shuffled(near, seed)[:2]
    for step in (*STEPS[draw(seed, str(year)) % len(STEPS)], 4, -4):
        yield str(year + 7 * step + draw(seed, str(step)) % 5)


def _wrong_values(number: Number, others: Iterable[str], mark: str) -> Iterator[str]:
    value = _value(number.text, mark)
    if value is None or value <= 0:
        return
    seed = number.statement.text
    near = {other for other in others if other[0].isdigit() and _is_near(_value(other, mark), value)}
    yield from shuffled(near - {number.text}, seed)[:2]
    for wrong in _small(value, seed) if value <= SMALL_MAX and value == int(value) else _scaled(value, seed):
        if wrong != value and not (number.text.endswith("%") and wrong > PERCENT_MAX >= value):
            yield _written(wrong, number.text, mark)


def _small(value: Decimal, seed: str) -> Iterator[Decimal]:
    for step in (*STEPS[draw(seed, str(value)) % len(STEPS)], 1, 2, 3):
        if value + step > 1:
            yield value + step


def _scaled(value: Decimal, seed: str) -> Iterator[Decimal]:
    for scale in (*SCALES[draw(seed, str(value)) % len(SCALES)], "2", "3", "0.5", "1.5", "4"):
        scaled = _rounded(value * Decimal(scale), value)
        if scaled > 0:
            yield scaled


def _is_near(other: Decimal | None, value: Decimal) -> bool:
    return other is not None and other != value and value / 5 <= other <= value * 5


def _value(text: str, mark: str) -> Decimal | None:
    """The value of digits with `mark` as their decimal mark."""
    digits = text.rstrip("%").replace("." if mark == "," else ",", "").replace(mark, ".")
    try:
        return Decimal(digits)
    except InvalidOperation:  # 2.6.1 is a version
        return None


def _rounded(scaled: Decimal, value: Decimal) -> Decimal:
    """As round as the number it stands beside: 550 gives 280, 0.83 gives 0.42."""
    exponent = value.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a number read from digits is finite"
    return scaled.quantize(Decimal(1).scaleb(min(exponent, 1)))


def _written(value: Decimal, like: str, mark: str) -> str:
    """`value` in the notation of `like`: its separators and its percent sign."""
    separator = "." if mark == "," else ","
    text = f"{value:,f}" if separator in like else f"{value:f}"
    if mark == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    return text + ("%" if like.endswith("%") else "")
