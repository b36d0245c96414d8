"""German for the offline generator. The tags are those of the Stuttgart-Tübingen tag set (STTS)."""

import re

from jobs.offline.languages import Grammar, Habits, Kind, Language, Wording


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = {
    **dict.fromkeys(("NN", "NNA", "NNI"), Kind.NOUN),
    **dict.fromkeys(("NE", "FM", "XY"), Kind.NAME),
    "ADJ(A)": Kind.ADJECTIVE,
    "VV(PP)": Kind.PARTICIPLE,
    **dict.fromkeys(("VV(FIN)", "VA(FIN)", "VM(FIN)", "VV(IMP)", "VA(IMP)"), Kind.FINITE),
    **dict.fromkeys(("VV(INF)", "VV(IZU)", "VA(INF)", "VA(PP)", "VM(INF)", "VM(PP)"), Kind.VERB),
    **dict.fromkeys(("ART", "PDAT", "PIAT", "PPOSAT", "PWAT"), Kind.DETERMINER),
    **dict.fromkeys(("PDS", "PIS", "PPER", "PPOSS", "PRELAT", "PRELS", "PRF", "PWS", "PWAV"), Kind.PRONOUN),
    **dict.fromkeys(("APPR", "APPRART", "APPO", "APZR", "KOKOM"), Kind.PREPOSITION),
    **dict.fromkeys(("KON", "KOUI", "KOUS"), Kind.CONJUNCTION),
    **dict.fromkeys(("ADV", "ADJ(D)", "PROAV", "PTKA", "PTKNEG", "PTKVZ", "PTKZU"), Kind.ADVERB),
    **dict.fromkeys(("$,", "$.", "$("), Kind.MARK),
    "CARD": Kind.NUMBER,
}

FRAMES = {
    **{
        word: word
        for word in ("der", "die", "das", "dem", "den", "des", "ein", "eine", "einen", "einem", "einer", "eines")
    },
    **dict.fromkeys(("im", "am", "beim", "vom", "zum"), "dem"),
    **dict.fromkeys(("zur",), "einer"),
    **dict.fromkeys(("ins", "ans"), "das"),
    **dict.fromkeys(("kein", "jedes", "mein", "sein", "ihr"), "ein"),
    **dict.fromkeys(("keine", "jede", "seine", "ihre"), "eine"),
    **dict.fromkeys(("keinen", "jeden", "seinen", "ihren"), "einen"),
    **dict.fromkeys(("keinem", "jedem", "seinem", "ihrem"), "einem"),
    **dict.fromkeys(("keiner", "jeder", "seiner", "ihrer"), "einer"),
}

_NAMED = (
    r"(?P<article>(?:Ein|Eine|Der|Die|Das) )?(?P<term>[^\s,;:()](?:[^,;:()]|,(?=[0-9])){1,60}?)"
    r"(?: \((?P<acronym>[^)\s]{2,12})\))?"
)
_NOUN_PHRASE = r"(?:ein|eine|einer|eines|der|die|das|jede|jeder|jedes|alle) "

DEFINITIONS = (
    re.compile(rf"{_NAMED} (?P<verb>ist|sind) (?P<body>{_NOUN_PHRASE}.+)\."),
    re.compile(rf"{_NAMED} (?P<verb>sind) (?P<body>[^,]*?, (?:die|deren|denen|mit denen|in denen|bei denen) .+)\."),
    re.compile(rf"{_NAMED} bezeichnet (?P<body>{_NOUN_PHRASE}.+)\."),
    re.compile(
        r"Als (?P<term>[^\s,;:()][^,;:()]{1,40}?)(?: \((?P<acronym>[^)\s]{2,12})\))? bezeichnet man "
        rf"(?P<body>{_NOUN_PHRASE}.+)\."
    ),
    re.compile(
        r"Unter (?:einem |einer |dem |der )?(?P<term>[^\s,;:()][^,;:()]{1,40}?) versteht man "
        rf"(?P<body>{_NOUN_PHRASE}.+)\."
    ),
    re.compile(rf"{_NAMED}, (?P<body>(?:ein|eine) [^,;:]{{18,}}), .+\."),
)

HUMAN_VERBS = _words(
    """beobachtete beschrieb berechnete bewies entdeckte entwarf entwickelte erfand erhielt erkannte erklärte
    erforschte formulierte führte gewann gründete isolierte konstruierte leitete maß nannte patentierte prägte
    schlug schrieb stellte untersuchte veröffentlichte verfasste widerlegte zeigte übersetzte"""
)

OPPOSITES = {
    "mehr": "weniger", "weniger": "mehr", "größer": "kleiner", "kleiner": "größer", "höher": "niedriger",
    "niedriger": "höher", "höheren": "niedrigeren", "steigt": "sinkt", "sinkt": "steigt", "schneller": "langsamer",
    "langsamer": "schneller", "mindestens": "höchstens", "höchstens": "mindestens", "öffentlichen": "privaten",
    "öffentliche": "private", "private": "öffentliche", "privaten": "öffentlichen", "symmetrischen": "asymmetrischen",
    "asymmetrischen": "symmetrischen", "innerhalb": "außerhalb", "außerhalb": "innerhalb",
    "zuverlässige": "unzuverlässige", "automatisch": "von Hand", "verschlüsselten": "unverschlüsselten",
    "unverschlüsselten": "verschlüsselten", "immer": "nie", "nie": "immer", "positiv": "negativ", "negativ": "positiv",
    "oberhalb": "unterhalb", "unterhalb": "oberhalb", "außen": "innen", "innen": "außen", "länger": "kürzer",
    "kürzer": "länger", "stärker": "schwächer", "schwächer": "stärker", "kürzesten": "längsten", "größte": "kleinste",
    "kleinste": "größte", "älteste": "jüngste", "erhöht": "senkt", "senkt": "erhöht", "maximal": "minimal",
    "statisch": "dynamisch", "dynamisch": "statisch", "lokalen": "globalen", "globalen": "lokalen",
}  # fmt: skip

GRAMMAR = Grammar(
    tags=TAGS,
    plural_tags=frozenset(),
    frames=FRAMES,
    neutral_articles={},
    genders={
        "der": "mf",
        "die": "f",
        "das": "n",
        "dem": "mn",
        "den": "m",
        "des": "mn",
        "ein": "mn",
        "eine": "f",
        "einen": "m",
        "einem": "mn",
        "einer": "f",
        "eines": "mn",
    },
    gender_endings={
        **dict.fromkeys(("ung", "heit", "keit", "schaft", "tät", "ion", "ik", "enz", "anz", "thek", "ase"), "f"),
        **dict.fromkeys(("chen", "lein", "um", "ment", "tum", "gramm"), "n"),
        **dict.fromkeys(("ismus", "ling", "er"), "m"),
    },
    agreement={
        **dict.fromkeys(("ist", "war", "hat", "wird", "kann", "muss", "besteht", "heißt"), False),
        **dict.fromkeys(("sind", "waren", "haben", "werden", "können", "müssen", "bestehen", "heißen"), True),
    },
    copulas=_words("ist sind war waren"),
    human_verbs=HUMAN_VERBS,
    definitions=DEFINITIONS,
    turn=re.compile(
        r"[;:] | \((?:z\. ?B\.|d\. ?h\.|siehe)|, (?:aber|sondern|während|weil|da|denn|obwohl|und (?:er|sie|es)) "
    ),
    relatives=_words("der die das dessen deren dem den denen wo womit wodurch bei in"),
    empty_body=re.compile(
        r"^(?:ein|eine|der|die|das) (?:sehr |besonders )?"
        r"(?:wichtig|gut|einfach|nützlich|wesentlich|zentral|interessant)|"
        r"^eine[rs]? der (?:wichtigsten|größten|häufigsten)|\b(?:Abkürzung|Kurzform|Synonym)",
        re.IGNORECASE,
    ),
    definite_articles=frozenset({"der", "die", "das"}),
    year=re.compile(
        r",? ?\b[Ii]m (?:Jahre? |Januar |Februar |März |April |Mai |Juni |Juli |August |September |Oktober |"
        r"November |Dezember )(?P<year>1[0-9]{3}|20[0-9]{2})\b"
    ),
    numerals=("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    calendar=_words(
        """januar februar märz april mai juni juli august september oktober november dezember montag dienstag mittwoch
        donnerstag freitag samstag sonntag frühling frühjahr sommer herbst winter"""
    ),
    decimal_mark=",",
    hedges=_words("ca circa etwa fast knapp rund ungefähr zirka"),
    opposites=OPPOSITES,
    verbs_stand_second=True,
    nouns_are_capitalised=True,
)

HABITS = Habits(
    initial=re.compile(r"(?:^|[\s(])(?:[^\W\d_]|[0-9]{1,2})$"),
    abbreviations=_words(
        """z.b d.h u.a z.t usw bzw ca vgl evtl ggf inkl nr abb tab kap s dr prof st bspw sog etc jh mio mrd max min
        b h a t"""
    ),
    function_words=_words(
        """der die das den dem des ein eine einen einem einer eines und in im zu zum zur mit von vom auf für ist sind
        war nicht als auch sich aus bei nach durch über wird werden wie oder an am um so nur noch es er sie dass wenn
        kann können hat haben zwischen dieser einem aber mehr unter"""
    ),
    connectives=(
        "zum beispiel",
        "beispielsweise",
        "außerdem",
        "zudem",
        "jedoch",
        "allerdings",
        "deshalb",
        "daher",
        "folglich",
    ),
    entry=re.compile(
        r"(?P<term>[^\W\d_][^:.;,]{1,48}?)(?: ?: | [\u2013\u2014-] )(?P<body>(?:[Ee]ine?|[Dd]er|[Dd]ie|[Dd]as) [^:;]*?"
        r"(?:, (?:der|die|das|dessen|deren|dem|den|mit|in|bei|auf)| des| der| von| zur| zum)\b[^:;]{8,})"
    ),
    entry_verb="ist",
    labels=_words(
        """hinweis achtung warnung tipp merke wichtig anmerkung bemerkung zusammenfassung definition satz beweis quelle
        lösung ziel hypothese merksatz"""
    ),
    openers=_words(
        """dies diese dieser dieses diesem diesen dieselbe derselbe dasselbe es er sie ihm ihr ihre ihren sein seine
        jene jener jenes solche solcher hier dort dabei dadurch damit daran darauf daraus darin darüber davon dazu
        dafür dagegen danach davor deshalb deswegen daher darum somit folglich außerdem zudem jedoch allerdings
        trotzdem dennoch hierbei hierfür hierzu hierdurch ebenso auch aber und oder denn sondern doch so also zudem
        ferner schließlich zuletzt zunächst dann beide beides letztere erstere andere anderer wir ich man sehen
        beachten siehe vergleiche was wer wie warum wann wo welche welcher welches beispielsweise insbesondere
        im gegensatz ansonsten sonst statt stattdessen wiederum"""
    )
    - {"im"},
    dangling=re.compile(
        r"\b(?:dies|diese[rsnm]?|jene[rsnm]?|solch(?:e[rsnm]?)?|jedoch|hier|hierbei|hierzu|hierfür|oben|unten|obige[rsnm]?|folgende[rsnm]?|"
        r"vorherige[rsnm]?|letztere[rsnm]?|erstere[rsnm]?|ebenfalls|davon|dafür|dazu|daraus|dabei|darin|darauf|"
        r"[Kk]apitel|[Aa]bschnitt|[Aa]bbildung|[Tt]abelle [0-9]+|Vorlesung|Folie|Übung|"
        r"wir|uns|unser[esnm]*|ich|mein[esnm]*|mich|mir|Sie|Ihnen|Ihre[nmrs]?|du|dein[esnm]*|dich|dir|usw|etc)\b"
    ),
    person_words=frozenset(),
    plural_words=frozenset(),
    thing_words=_words("er ihn ihm sie ihr ihre ihren ihrem ihrer sein seine seinen seinem seiner es"),
    generic=_words(
        """art arten weise teil teile zahl zahlen anzahl menge mengen beispiel beispiele fall fälle grund gründe form
        formen reihe stelle stellen ort orte seite seiten zeit zeiten tag tage jahr jahre jahren jahrhundert stunde
        stunden minute minuten sekunde sekunden möglichkeit möglichkeiten aufgabe aufgaben frage fragen antwort
        antworten ergebnis ergebnisse unterschied unterschiede eigenschaft eigenschaften begriff begriffe name namen
        wort wörter regel regeln rolle rollen ziel ziele zweck folge folgen ursache wirkung mittel bereich bereiche
        gebiet ebene ebenen gruppe gruppen mensch menschen person personen leute leben welt land länder stadt arbeit
        sache sachen ding dinge verfahren vorgang vorgänge prozess prozesse system systeme methode methoden mechanismus
        dauer beginn anfang ende mitte hälfte viertel drittel mehrheit größe länge höhe breite wert werte einheit
        einheiten punkt punkte schritt schritte stufe stufen weg wege suche spitze reihenfolge vereinbarung auftrag
        basis grundlage grundlagen rahmen zusammenhang umgang bedeutung nutzung verwendung einsatz hilfe zutun"""
    ),
)

WORDING = Wording(
    which_term="Welcher Begriff passt zu dieser Beschreibung: {body}?",
    which_description="Welche Beschreibung passt zu „{term}“?",
    which_number="Welche Zahl fehlt? {stem}",
    which_definitions="Welche dieser Definitionen sind richtig: {terms}?",
    match_terms="Ordne jedem Begriff seine Beschreibung zu.",
    is_a="{term} ist {body}.",
    are_a="{term} sind {body}.",
    what_is="Was ist {term}?",
    what_are="Was sind {term}?",
    stands_for="Wofür steht die Abkürzung {acronym}?",
    who="Wer {rest}?",
    what="",  # "Was verwendet das Protokoll?" asks for the object as well
    which_of_these="",
    which_year="In welchem Jahr geschah das? {sentence}",
    complete="Ergänze den Satz: {stem}",
    source_says="In der Quelle steht: „{sentence}“",
    right_instead_of_wrong="In der Aussage steht „{wrong}“; richtig ist „{right}“.",
    describes_other="Die Aussage beschreibt „{other}“.",
    describes_instead="Bei „{term}“ steht die Beschreibung von „{other}“.",
)

GERMAN = Language(code="de", name="German", model="morphmodel_ger.pgz", grammar=GRAMMAR, habits=HABITS, wording=WORDING)
