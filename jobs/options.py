"""The options of a question, and the pairs to match: what must not stand in them, and their order."""

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal

from jobs import figures
from schemas.questions import Matching, MultipleChoice, MultipleResponse
from service.rules.characters import DASHES
from service.rules.likeness import key_form

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
        r"|all(?:e|t) (?:(?:av )?(?:det?|dei) )?(?:(?:ovennevnte|ovenfor|ovanfor)\b.*|over|nevnte|nemnde)"
        r"|all(?:e|t) (?:disse|desse)(?: (?:svarene|alternativene))?"
        r"|alle (?:svar(?:ene|a)?|alternativ(?:ene|a)?|påstand(?:ene|ane))(?: er (?:riktige?|rett|rette|korrekte?))?"
        r"|tou(?:te)?s (?:l|c)es (?:réponses|propositions|options|affirmations|choix)"
        r"(?: (?:ci-dessus|précédentes|sont (?:correctes|justes|exactes|vraies|bonnes)))*"
        r"|tou(?:te)?s (?:les )?(?:précédente?s|ci-dessus|ce qui précède)|tout ce qui précède"
        r"|tod[ao]s (?:l[ao]s )?(?:anteriores|opciones|respuestas|afirmaciones|alternativas)(?: anteriores)?"
        r"(?: son (?:correctas|verdaderas|ciertas))?"
        r"|tod[ao]s son (?:correct|verdader|ciert)[ao]s|todo lo anterior"
    ),
    "none_of_the_above": re.compile(
        r"(?:none|neither|not any) of the (?:above|preceding|previous|foregoing)\b.*"
        r"|(?:none|neither) of (?:these|those|them)(?: (?:options|answers|choices|statements))?"
        r"|kein(?:e|er|es)? (?:der|von den) (?:oben )?(?:genannten|obigen|aufgeführten|angegebenen)\b.*"
        r"|kein(?:e|er|es) (?:davon|von diesen|der (?:antworten|optionen|aussagen))|nichts davon"
        r"|ei mikään (?:edellä|yllä|edellisistä|ylläolevista|edellämainituista|näistä|vaihtoehdoista)\b.*"
        r"|(?:ingen|inga|intet) av (?:(?:de|dei|det) )?(?:(?:ovennevnte|ovenfor|ovanfor)\b.*|over|nevnte|nemnde)"
        r"|(?:ingen|inga|intet) av (?:disse|desse|delene|dem|dei|svarene|svara|alternativene|alternativa)"
        r"(?: (?:ovenfor|over|er (?:riktige?|rett|rette|korrekte?)))*"
        r"|aucune? (?:de ces|des) (?:réponses|propositions|options|affirmations|choix|précédente?s)"
        r"(?: (?:ci-dessus|précédentes|n'est (?:correcte?|juste|exacte?|vraie)))*"
        r"|aucune? (?:de celles-ci|de ceux-ci|d'entre (?:eux|elles))|rien de (?:tout cela|ce qui précède)"
        r"|ningun[ao] de l[ao]s (?:anteriores|opciones|respuestas|afirmaciones|alternativas)(?: anteriores)?"
        r"(?: es (?:correct|verdader|ciert)[ao])?"
        r"|ningun[ao] (?:de est[ao]s|es correct[ao])|nada de lo anterior"
    ),
}
# On the text as written: "A and B" points at other options; "a AND b" is an expression.
_LETTER = r"\(?(?:[A-F]|[IV]{1,3}|[1-6])\)?"
_AND = "and|or|nor|und|oder|noch|als auch|ja|sekä|eikä|og|eller|et|ou|ni|y|e|o|como|&"
_LISTED = rf"{_LETTER}(?:, {_LETTER})*,? (?:{_AND}) {_LETTER}"
_BOTH = (
    "[Bb]oth|[Nn]either|[Bb]eide|[Ss]owohl|[Ww]eder|[Ss]ekä|[Bb]åde|[Vv]erken|[Ll]es deux|[Nn]i|[Tt]anto|[Aa]mb[ao]s"
)
_ONLY = "[Oo]nly|[Nn]ur|[Vv]ain|[Bb]are|[Bb]erre|[Kk]un|[Ss]eulement|[Uu]niquement|[Ss]olo|[Ss]ólo|[Ss]olamente"
_POINTING = re.compile(
    rf"(?:{_BOTH}|{_ONLY}) {_LISTED}|(?:{_ONLY}) {_LETTER}"
    rf"|{_LISTED} (?:only|both|seulement|uniquement|solamente)|(?:{_LETTER}) (?:seulement|uniquement|solamente)"
    r"|[ÀAà] la fois \(?[A-F]\)? et \(?[A-F]\)?"
    r"|\(?[A-F]\)? (?:and|und|ja|og|et|y|&) \(?[A-F]\)?"
)

_NUMERIC = re.compile(r"([^\d]*)(\d(?:[\d.,\u00a0\u202f\u2009 ]*\d)?)([^\d]*)")


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
    order = _order(question.stem, question.options, language)
    return MultipleChoice(
        stem=question.stem, options=tuple(order), answer=order.index(question.options[question.answer])
    )


def arranged_response(question: MultipleResponse, language: str) -> MultipleResponse:
    """The same as `arranged` for a question with several right options."""
    order = _order(question.stem, question.options, language)
    answers = sorted(order.index(question.options[index]) for index in question.answers)
    return MultipleResponse(stem=question.stem, options=tuple(order), answers=tuple(answers))


def arranged_pairs(question: Matching, language: str) -> Matching:
    """The same as `arranged` for pairs, by their lefts, and for what belongs to no left."""
    pair_of = {pair.left: pair for pair in question.pairs}
    return Matching(
        stem=question.stem,
        pairs=tuple(pair_of[left] for left in _order(question.stem, list(pair_of), language)),
        extra_rights=tuple(_order(question.stem, question.extra_rights, language)),
    )


def _order(stem: str, options: Sequence[str], language: str) -> list[str]:
    values = _numbers(options, language)
    if values:
        return sorted(options, key=lambda option: (values[option], option))
    return _drawn(stem, options)


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
    values = figures.values_of([digits for _, digits, _ in parts], language)
    if values is None:
        return None
    return {option: sign * value for option, (sign, _, _), value in zip(options, parts, values, strict=True)}


def _signed(before: str, digits: str, after: str) -> tuple[int, str, tuple[str, str]]:
    head = before.rstrip()
    is_negative = head[-1:] != "" and head[-1] in f"-{DASHES}" and not head[-2:-1].isalnum()
    unit = head[:-1].strip() if is_negative or head.endswith("+") else head
    return (-1 if is_negative else 1), digits, (unit, after.strip())
