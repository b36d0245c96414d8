"""The words that give a badly written question away: English, Norwegian, Finnish, German, French, Spanish.

Lists of words mark about a tenth of all questions and are sometimes wrong about one: they are for warnings only.
"""

import re
from collections.abc import Sequence

from jobs.tongues import code_of


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
    """ "According to the text ...": whoever sits the exam has no text. In any of the languages."""
    return any(pattern.search(text) for pattern in _REFERS_TO_SOURCE.values())


def names_position(explanation: str) -> bool:
    """ "Option B is wrong because ...": the options are shown in another order. In any of the languages."""
    return _NAMES_POSITION.search(explanation) is not None


def article_fits_few(stem: str, options: Sequence[str], language: str) -> bool:
    """An article right before the answer that not every option may follow.

    English "a" and "an", French articles that a vowel shortens; Spanish ones by the endings -o and -a of the options.
    """
    code = code_of(language)
    pattern = _ARTICLE_BEFORE_ANSWER.get(code)
    if pattern is None or pattern.search(stem) is None:
        return False
    firsts = [option.split()[0].lower() for option in options if option.split()]
    if code == "es":
        return {"o", "a"} <= {first[-1] for first in firsts}
    return len({first[0] in _VOWELS[code] for first in firsts}) > 1


def _occurs(patterns: dict[str, re.Pattern[str]], text: str, language: str) -> bool:
    pattern = patterns.get(code_of(language))
    return pattern is not None and pattern.search(text) is not None


def _words(alternatives: str) -> re.Pattern[str]:
    """Whole words; "read-only" holds none."""
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE)


def _negatives(alternatives: str) -> re.Pattern[str]:
    """Case counts: in capitals a negative can't be overlooked."""
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


# "Not only ... but also" denies nothing.
_NEGATIVE = {
    "en": _negatives(r"[Nn]ot(?! only\b)|[Ee]xcept|(?<!at )[Ll]east|[Nn]ever|[Cc]annot|\w{1,20}n['\u2019]t"),
    "no": _negatives(
        r"[Ii]kk?je(?! berre\b)|[Ii]kke(?! bare\b| kun\b)|[Aa]ldri|[Ii]ngen|[Uu]nntatt|[Uu]nnateke|[Bb]ortsett frå|"
        r"[Bb]ortsett fra|[Mm]ed unntak av"
    ),
    "fi": _negatives(r"[Ee]i(?:vät)?(?! vain\b| ainoastaan\b| pelkästään\b)|[Pp]aitsi(?! että\b)|[Vv]ähiten"),
    "de": _negatives(
        r"[Nn]icht(?! nur\b| allein\b)|[Kk]ein(?:e[rmns]?)?|[Nn]ie(?:mals)?|[Aa]ußer|[Mm]it Ausnahme|am wenigsten"
    ),
    "fr": _negatives(
        r"(?:[Nn]e|[Nn]['\u2019]\w+)\b[^.?!]{0,40}?\s(?:pas(?! seulement\b| que\b)|jamais|aucune?)"
        r"|[Ss]auf|[Ee]xcepté|[Hh]ormis|[ÀA] l['\u2019]exception|l[ea]s? moins|[Aa]ucune?"
    ),
    "es": _negatives(
        r"[Nn]o(?! solo\b| sólo\b| solamente\b| únicamente\b|\.)|[Ee]xcepto|(?<!a )[Ss]alvo|[Nn]unca|[Jj]amás|"
        r"[Nn]ingun[oa]|[Nn]ingún|(?:el|la|los|las) menos"
    ),
}
_ABSOLUTE = {
    "en": _words(
        r"always|never|(?<!at )(?<!above )(?<!after )all|(?<!not )only|none|every|entirely|completely|"
        r"absolutely|invariably"
    ),
    "no": _words(
        r"alltid|aldri|alle|(?<!ikke )(?<!ikkje )(?:bare|berre|kun)|hver|hvert|ingen|utelukkende|utelukkande|"
        r"fullstendig"
    ),
    "fi": _words(
        r"aina|koskaan|kaikki(?:a|en|in|ssa|sta|lla|lle)?|(?<!ei )(?<!eivät )(?:vain|ainoastaan)|"
        r"joka(?:inen|ista|isessa|isen)|täysin"
    ),
    "de": _words(
        r"immer(?! noch\b| wieder\b| mehr\b| weniger\b)|nie|niemals|alle|(?<!nicht )nur|jede[rsmn]?|"
        r"ausschließlich|stets|völlig|sämtliche"
    ),
    "fr": _words(
        r"toujours|jamais|tous(?! les deux\b)|toutes(?! les deux\b)|uniquement|(?<!non )(?<!pas )seulement|"
        r"aucune?|chaque|entièrement|complètement|absolument|exclusivement"
    ),
    "es": _words(
        r"siempre(?! que\b)|nunca|jamás|todos|todas|(?<!no )(?<!un )(?:solo|sólo|solamente|únicamente)|"
        r"ningun[oa]|ningún|cada(?! vez\b)|completamente|totalmente|absolutamente|exclusivamente"
    ),
}
_VAGUE = {
    "en": _words(r"usually|often|sometimes|frequently|generally|(?-i:may)|might|could|rarely|typically"),
    "no": _words(
        r"vanligvis|vanlegvis|ofte|noen ganger|nokre gonger|av og til|iblant|som regel|muligens|kanskje|stort sett"
    ),
    "fi": _words(
        r"usein|yleensä|joskus|toisinaan|harvoin|voisi(?:vat)?|saatta(?:a|vat)|useimmiten|tavallisesti|"
        r"mahdollisesti|ehkä"
    ),
    "de": _words(
        r"oft|meist(?:ens)?|manchmal|häufig|gewöhnlich|selten|könnten?|normalerweise|üblicherweise|möglicherweise|"
        r"in der regel|im allgemeinen"
    ),
    "fr": _words(
        r"souvent|généralement|habituellement|parfois|quelquefois|fréquemment|rarement|peut-être|pourrai(?:t|ent)|"
        r"en général|typiquement|d['\u2019]ordinaire"
    ),
    "es": _words(
        r"a menudo|generalmente|normalmente|habitualmente|usualmente|a veces|algunas veces|frecuentemente|"
        r"con frecuencia|raramente|rara vez|quizás?|tal vez|podrían?|suelen?|por lo general|en general|típicamente"
    ),
}
_SOURCE_EN = "text|passage|module|slides?|article|chapter|section|author|material|document|lecture|excerpt"
_SOURCE_NO = (
    "tekste?n?|avsnitt(?:et)?|modul(?:en)?|kapit(?:te)?l(?:et)?|forfatter(?:en)?|forfattar(?:en)?|artikkel(?:en)?|"
    "dokument(?:et)?|forelesning(?:en)?|lysbilde(?:t|ne)?|pensum"
)
_SOURCE_FI = "tekstin|luvun|kappaleen|moduulin|materiaalin|kirjoittajan|luennon|artikkelin|diojen|oppimateriaalin"
_SOURCE_DE = "text|abschnitt|modul|folien?|artikel|kapitel|autor|autorin|material|dokument|vorlesung"
_SOURCE_FR = "texte|passage|module|diapositives?|article|chapitre|auteure?|autrice|document|extrait|cours(?! d)"
_SOURCE_ES = "texto|pasaje|módulo|diapositivas?|artículo|capítulo|autora?|documento|lección|fragmento|apartado"
_REFERS_TO_SOURCE = {
    code: re.compile(alternatives, re.IGNORECASE)
    for code, alternatives in {
        "en": rf"\baccording to (?:the|this) (?:above |given |provided )?(?:{_SOURCE_EN})\b"
        rf"|\b(?:the|this) (?:{_SOURCE_EN}) (?:states?|says?|mentions?|describes?|explains?|above)\b"
        rf"|\b(?:mentioned|described|discussed|stated|given|listed) in (?:the|this) (?:{_SOURCE_EN})\b",
        "no": rf"\b(?:i ?følgj?e|i henhold til|i samsvar med) (?:den |det |denne |dette )?(?:{_SOURCE_NO})\b"
        r"|\bi (?:denne |dette )?(?:teksten|avsnittet|kapit(?:te)?let)\b",
        "fi": rf"\b(?:{_SOURCE_FI}) mukaan\b|\btekstissä\b",
        "de": rf"\b(?:laut|gemäß) (?:(?:dem|der|den|diesem|dieser) )?(?:{_SOURCE_DE})\b"
        r"|\bim (?:obigen )?(?:text|abschnitt)\b",
        "fr": rf"\b(?:selon|d['\u2019]après|suivant) (?:l['\u2019]|(?:la|les?|ces?|cet|cette) )(?:{_SOURCE_FR})\b"
        r"|\bdans (?:le|ce|cet) (?:texte|passage|chapitre|extrait)\b",
        "es": rf"\b(?:según|de acuerdo con|conforme a) (?:el|la|los|las|este|esta|estas) (?:{_SOURCE_ES})\b"
        r"|\ben (?:el|este) (?:texto|pasaje|capítulo|fragmento)\b",
    }.items()
}
_NAMES_POSITION = re.compile(
    r"\b(?:[Oo]ptions?|[Aa]nswers?|[Cc]hoices?|[Aa]lternativ|[Ss]var|[Vv]aihtoehto|[Aa]ntwort|[Rr]éponse|[Pp]roposition"
    r"|[Oo]pción|[Rr]espuesta) \(?[A-F](?![\w'\u2019])"
    r"|(?i:\b(?:first|second|third|fourth|last) (?:option|answer|choice)"
    r"|\b(?:første|andre|tredje|fjerde|siste) (?:alternativet|svaret)"
    r"|\b(?:ensimmäinen|toinen|kolmas|neljäs|viimeinen) (?:vaihtoehto|vastaus)"
    r"|\b(?:erste|zweite|dritte|vierte|letzte) (?:antwort|option)"
    r"|\b(?:première|deuxième|troisième|quatrième|dernière) (?:option|réponse|proposition)"
    r"|\b(?:primera|segunda|tercera|cuarta|última) (?:opción|respuesta))\b"
)
_BEFORE_ANSWER = r"(?: ?_{3}| ?(?:…|\.{3}|:)?$)"
_ARTICLE_BEFORE_ANSWER = {
    "en": re.compile(rf"(?<!\w)an?{_BEFORE_ANSWER}", re.IGNORECASE),
    "fr": re.compile(rf"(?<!\w)(?:l[ea]|de|du|ce|[ld]['\u2019]){_BEFORE_ANSWER}", re.IGNORECASE),
    "es": re.compile(rf"(?<!\w)(?:el|la|los|las|un|una){_BEFORE_ANSWER}", re.IGNORECASE),
}
_VOWELS = {"en": frozenset("aeiou"), "fr": frozenset("aeiouyhàâéèêëîïôœù")}
