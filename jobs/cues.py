"""The words that give a badly written question away, for the languages that have a list: English, German, Finnish."""

import re


def has_absolute_term(text: str, language: str) -> bool:
    """Words such as always and never: a statement that holds them is hardly ever true."""
    return _occurs(_ABSOLUTE, text, language)


def has_vague_term(text: str, language: str) -> bool:
    """Words such as often: readers differ in what they take them for."""
    return _occurs(_VAGUE, text, language)


def is_negative(stem: str, language: str) -> bool:
    """A negative that is easily overlooked; one in capitals is how it should be written."""
    return _occurs(_NEGATIVE, stem, language)


def refers_to_source(text: str) -> bool:
    """ "According to the text ...": whoever sits the exam has no text."""
    return _REFERS_TO_SOURCE.search(text) is not None


def names_position(explanation: str) -> bool:
    """ "Option B is wrong because ...": the options are shown in another order."""
    return _NAMES_POSITION.search(explanation) is not None


def gives_article_away(stem: str) -> bool:
    """The option goes after "a" or "an", which not every word may follow."""
    return _ARTICLE_BEFORE_ANSWER.search(stem) is not None


def _occurs(patterns: dict[str, re.Pattern[str]], text: str, language: str) -> bool:
    pattern = patterns.get(language.partition("-")[0].lower())
    return pattern is not None and pattern.search(text) is not None


def _words(alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)


_NEGATIVE = {
    "en": re.compile(r"(?<!\w)(?:[Nn]ot|[Ee]xcept|(?<!at )[Ll]east|[Nn]ever|[Cc]annot|\w{1,20}n['\u2019]t)(?!\w)"),
    "de": re.compile(r"(?<!\w)(?:[Nn]icht|[Kk]ein(?:e[rmns]?)?|[Aa]ußer|am wenigsten)(?!\w)"),
    "fi": re.compile(r"(?<!\w)(?:[Ee]i(?:vät)?|[Pp]aitsi|[Vv]ähiten)(?!\w)"),
}
_ABSOLUTE = {
    "en": _words("always|never|all|only|none|every|entirely|completely|absolutely|invariably"),
    "de": _words("immer|nie|niemals|alle|nur|jede[rsn]?|ausschließlich|stets|völlig"),
    "fi": _words("aina|koskaan|kaikki|vain|ainoastaan|jokainen|täysin"),
}
_VAGUE = {
    "en": _words("usually|often|sometimes|frequently|generally|(?-i:may)|might|could|rarely|typically"),
    "de": _words("oft|meist(?:ens)?|manchmal|häufig|gewöhnlich|selten|könnte"),
    "fi": _words("usein|yleensä|joskus|toisinaan|harvoin|voisi|saattaa"),
}
_SOURCE_EN = "text|passage|module|slides?|article|chapter|section|author|material|document|lecture|excerpt"
_SOURCE_DE = "text|abschnitt|modul|folien?|artikel|kapitel|autor|material|dokument|vorlesung"
_REFERS_TO_SOURCE = re.compile(
    rf"\baccording to (?:the|this) (?:above |given |provided )?(?:{_SOURCE_EN})\b"
    rf"|\b(?:the|this) (?:{_SOURCE_EN}) (?:states?|says?|mentions?|describes?|explains?|above)\b"
    rf"|\b(?:mentioned|described|discussed|stated|given|listed) in (?:the|this) (?:{_SOURCE_EN})\b"
    rf"|\b(?:laut|gemäß) (?:(?:dem|der|den|diesem|dieser) )?(?:{_SOURCE_DE})\b|\bim (?:obigen )?(?:text|abschnitt)\b"
    r"|\b(?:tekstin|luvun|kappaleen|moduulin|materiaalin|kirjoittajan|luennon) mukaan\b|\btekstissä\b",
    re.IGNORECASE,
)
_NAMES_POSITION = re.compile(
    r"\b(?:[Oo]ptions?|[Aa]nswers?|[Cc]hoices?|[Aa]ntwort|[Vv]aihtoehto) \(?[A-F](?![\w'\u2019])"
    r"|\b(?:first|second|third|fourth|last|erste|zweite|dritte|vierte|letzte) (?:option|answer|choice|[Aa]ntwort)\b"
)
_ARTICLE_BEFORE_ANSWER = re.compile(r"(?<!\w)an?(?: ?_{3}| ?(?:…|\.{3}|:)?$)", re.IGNORECASE)
