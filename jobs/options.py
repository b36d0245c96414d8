"""The options of a multiple-choice question: what must not stand in them, and their order."""

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal

from jobs.characters import DASHES
from jobs.duplicates import key_form
from schemas.questions import MultipleChoice

_DECIMAL_COMMA_LANGUAGES = frozenset({"fi", "de", "sv", "da", "nb", "nl", "fr", "es", "it", "pt", "pl", "cs", "ru"})

# "B) ..." is a label wherever it stands; "B. ..." also begins names (E. coli), so the labels must make a sequence.
_LABEL = re.compile(r"\(?[A-Ha-h1-9]\)\s")
_SEQUENCE_LABEL = re.compile(r"([A-Ha-h1-9])[.:]\s")

# On the key form, which is case-folded: ß is ss.
_CATCH_ALL = {
    "all_of_the_above": re.compile(
        r"all (?:of )?the (?:above|preceding|previous|foregoing)\b.*"
        r"|all (?:of )?(?:these|those|them)(?: (?:options|answers|choices|statements))?(?: are (?:correct|right|true))?"
        r"|all (?:the )?(?:options|answers|choices|statements) are (?:correct|right|true)"
        r"|all(?:e|es)(?: der| die)?(?: oben| zuvor| hier)? ?(?:genannten?|obigen|aufgeführten?|angegebenen?)\b.*"
        r"|alle (?:antworten|optionen|aussagen|möglichkeiten)(?: sind (?:richtig|korrekt))?|alles davon"
        r"|kaikki (?:edellä|yllä|edelliset|ylläolevat|edellämainitut)\b.*"
        r"|kaikki (?:nämä|(?:nämä )?vaihtoehdot)(?: ovat oikein)?"
    ),
    "none_of_the_above": re.compile(
        r"(?:none|neither|not any) of the (?:above|preceding|previous|foregoing)\b.*"
        r"|(?:none|neither) of (?:these|those|them)(?: (?:options|answers|choices|statements))?"
        r"|kein(?:e|er|es)? (?:der|von den) (?:oben )?(?:genannten|obigen|aufgeführten|angegebenen)\b.*"
        r"|kein(?:e|er|es) (?:davon|von diesen|der (?:antworten|optionen|aussagen))|nichts davon"
        r"|ei mikään (?:edellä|yllä|edellisistä|ylläolevista|edellämainituista|näistä|vaihtoehdoista)\b.*"
    ),
}
# On the text as written: "A and B" points at other options; "a AND b" is an expression.
_LETTER = r"\(?(?:[A-F]|[IV]{1,3}|[1-6])\)?"
_LISTED = rf"{_LETTER}(?:, {_LETTER})*,? (?:and|or|nor|und|oder|noch|als auch|ja|sekä|eikä|&) {_LETTER}"
_POINTING = re.compile(
    rf"(?:[Bb]oth|[Oo]nly|[Nn]either|[Bb]eide|[Nn]ur|[Ss]owohl|[Ww]eder|[Ss]ekä|[Vv]ain) {_LISTED}"
    rf"|(?:[Oo]nly|[Nn]ur|[Vv]ain) {_LETTER}|{_LISTED} (?:only|both)"
    r"|\(?[A-F]\)? (?:and|und|ja|&) \(?[A-F]\)?"
)

_NUMERIC = re.compile(r"([^\d]*)(\d(?:[\d.,\u00a0\u202f\u2009 ]*\d)?)([^\d]*)")
_POINT_NUMBER = re.compile(r"\d{1,3}(?:[,\u00a0\u202f\u2009 ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_COMMA_NUMBER = re.compile(r"\d{1,3}(?:[.\u00a0\u202f\u2009 ]\d{3})+(?:,\d+)?|\d+(?:,\d+)?")


def are_labelled(options: Sequence[str]) -> bool:
    """Whether options carry labels of their own, which are wrong as soon as the options change places."""
    if any(_LABEL.match(option) for option in options):
        return True
    labels = [match[1].lower() for option in options if (match := _SEQUENCE_LABEL.match(option))]
    return len(labels) == len(options) and sorted(labels) in (
        list("abcdefgh")[: len(labels)],
        list("12345678")[: len(labels)],
    )


def catch_all_code(option: str) -> str | None:
    """The code of what is wrong with an option that speaks of the other options."""
    form = key_form(option)
    for code, pattern in _CATCH_ALL.items():
        if pattern.fullmatch(form):
            return code
    return "complex_k_type" if _POINTING.fullmatch(option.rstrip(" .")) else None


def arranged(question: MultipleChoice, language: str) -> MultipleChoice:
    """The same question with its options in the order they are shown in, whatever order they came in.

    Numbers ascend. Anything else is in an order drawn by the question's own words: models put the key first, or
    second, far too often, and a question made again must look the same.
    """
    key = question.options[question.answer]
    values = _numbers(question.options, language)
    if values:
        order = sorted(question.options, key=lambda option: (values[option], option))
    else:
        order = _drawn(question.stem, question.options)
    return MultipleChoice(stem=question.stem, options=tuple(order), answer=order.index(key))


def _drawn(stem: str, options: Sequence[str]) -> list[str]:
    seed = _digest("\n".join((stem, *sorted(options))))
    return sorted(options, key=lambda option: _digest(f"{seed}\n{option}"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _numbers(options: Sequence[str], language: str) -> dict[str, Decimal] | None:
    """The value of each option when all are numbers with the same unit."""
    matches = [_NUMERIC.fullmatch(option) for option in options]
    parts = [_signed(match[1], match[2], match[3]) for match in matches if match]
    if len(parts) < len(options) or len({unit for _, _, unit in parts}) > 1:
        return None
    has_decimal_comma = language.partition("-")[0].lower() in _DECIMAL_COMMA_LANGUAGES
    styles = (_COMMA_NUMBER, _POINT_NUMBER) if has_decimal_comma else (_POINT_NUMBER, _COMMA_NUMBER)
    for style in styles:
        if all(style.fullmatch(digits) for _, digits, _ in parts):
            point = "." if style is _POINT_NUMBER else ","
            values = [sign * _value(digits, point) for sign, digits, _ in parts]
            return dict(zip(options, values, strict=True))
    return None


def _signed(before: str, digits: str, after: str) -> tuple[int, str, tuple[str, str]]:
    head = before.rstrip()
    is_negative = head[-1:] != "" and head[-1] in f"-{DASHES}" and not head[-2:-1].isalnum()
    unit = head[:-1].strip() if is_negative or head.endswith("+") else head
    return (-1 if is_negative else 1), digits, (unit, after.strip())


def _value(digits: str, point: str) -> Decimal:
    whole, _, fraction = digits.partition(point)
    return Decimal("".join(filter(str.isdecimal, whole)) + "." + (fraction or "0"))
