"""Numbers in texts: how languages write them, and what they are worth."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from jobs.tongues import code_of


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DECIMAL_COMMA_LANGUAGES = _words("bg cs da de el es et fi fr hr hu is it lt lv nl no pl pt ro ru sk sl sv tr uk")
_POINT_NUMBER = re.compile(r"\d{1,3}(?:[,\u00a0\u202f\u2009 ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?")
_COMMA_NUMBER = re.compile(r"\d{1,3}(?:[.\u00a0\u202f\u2009 ]\d{3})+(?!\d)(?:,\d+)?|\d+(?:,\d+)?")
# Other forms of a word follow a slash. "Un" is an article far more often than a number, so it is left out.
_NUMBER_WORDS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve",
    "no": "null én to tre fire fem seks sju/syv åtte ni ti elleve tolv",
    "fi": "nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän kymmenen yksitoista kaksitoista",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "zéro - deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
}
_VALUE_OF = {
    code: {form: value for value, word in enumerate(words.split()) for form in word.split("/")}
    for code, words in _NUMBER_WORDS.items()
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
    values = _VALUE_OF.get(code_of(language), {})
    for word in _WORD.findall(text.lower()):
        if word in values:
            yield float(values[word])


def _styles(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The usual one first."""
    if code_of(language) in _DECIMAL_COMMA_LANGUAGES:
        return _COMMA_NUMBER, _POINT_NUMBER
    return _POINT_NUMBER, _COMMA_NUMBER


def _value(digits: str, style: re.Pattern[str]) -> Decimal:
    whole, _, fraction = digits.partition("." if style is _POINT_NUMBER else ",")
    return Decimal("".join(filter(str.isdecimal, whole)) + "." + (fraction or "0"))
