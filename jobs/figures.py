"""Numbers in texts: how languages write them, and what they are worth."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DECIMAL_COMMA_LANGUAGES = _words("bg cs da de el es et fi fr hr hu is it lt lv nb nl nn no pl pt ro ru sk sl sv tr uk")
_POINT_NUMBER = re.compile(r"\d{1,3}(?:[,\u00a0\u202f\u2009 ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?")
_COMMA_NUMBER = re.compile(r"\d{1,3}(?:[.\u00a0\u202f\u2009 ]\d{3})+(?!\d)(?:,\d+)?|\d+(?:,\d+)?")
_SMALL_NUMBERS = {
    "en": _words("zero one two three four five six seven eight nine ten eleven twelve"),
    "de": _words("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"),
    "fi": _words("nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän kymmenen"),
}
_WORD = re.compile(r"[^\W\d_]+")


def values_of(numbers: Sequence[str], language: str) -> list[Decimal] | None:
    """What numbers in digits are worth; None when there is no way of writing that all of them follow."""
    for style in _styles(language):
        if all(style.fullmatch(digits) for digits in numbers):
            return [_value(digits, style) for digits in numbers]
    return None


def names(text: str, value: float, *, tolerance: float, language: str) -> bool:
    """Whether a text holds the number, in digits or as a small number's word, with either sign."""
    return any(abs(number - abs(value)) <= tolerance for number in _numbers_in(text, language))


def _numbers_in(text: str, language: str) -> Iterator[float]:
    style, _ = _styles(language)
    for match in style.finditer(text):
        yield float(_value(match.group(), style))
    words = _SMALL_NUMBERS.get(_base(language), ())
    for word in _WORD.findall(text.lower()):
        if word in words:
            yield float(words.index(word))


def _styles(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The usual one first."""
    if _base(language) in _DECIMAL_COMMA_LANGUAGES:
        return _COMMA_NUMBER, _POINT_NUMBER
    return _POINT_NUMBER, _COMMA_NUMBER


def _base(language: str) -> str:
    return language.partition("-")[0].lower()


def _value(digits: str, style: re.Pattern[str]) -> Decimal:
    whole, _, fraction = digits.partition("." if style is _POINT_NUMBER else ",")
    return Decimal("".join(filter(str.isdecimal, whole)) + "." + (fraction or "0"))
