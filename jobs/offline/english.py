"""English for the offline generator. The tags are those of the British National Corpus (C5)."""

import re

from jobs.offline.languages import Grammar, Habits, Kind, Language, Wording


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = {
    **dict.fromkeys(("NN", "NN0", "NN1", "NN2"), Kind.NOUN),
    **dict.fromkeys(("NP0", "UNC", "ZZ0"), Kind.NAME),
    **dict.fromkeys(("AJ0", "AJC", "AJS", "ORD"), Kind.ADJECTIVE),
    **dict.fromkeys(("VVN", "VVG"), Kind.PARTICIPLE),
    **dict.fromkeys(("VBB", "VBD", "VBZ", "VDB", "VDD", "VDZ", "VHB", "VHD", "VHZ", "VM0"), Kind.FINITE),
    **dict.fromkeys(("VVB", "VVD", "VVZ"), Kind.FINITE),
    **dict.fromkeys(("VBG", "VBI", "VBN", "VDG", "VDI", "VDN", "VHG", "VHI", "VHN", "VVI"), Kind.VERB),
    **dict.fromkeys(("AT0", "DPS", "DT0"), Kind.DETERMINER),
    **dict.fromkeys(("DTQ", "PNI", "PNP", "PNQ", "EX0"), Kind.PRONOUN),
    **dict.fromkeys(("IN", "PRF", "PRP"), Kind.PREPOSITION),
    **dict.fromkeys(("AVQ", "CJC", "CJS", "CJT"), Kind.CONJUNCTION),
    **dict.fromkeys(("AV0", "AVP", "XX0"), Kind.ADVERB),
    **dict.fromkeys(("PUL", "PUN", "PUQ", "PUR"), Kind.MARK),
    "CRD": Kind.NUMBER,
}

FRAMES = {
    **dict.fromkeys(("a", "an", "each", "every", "another"), "a"),
    **dict.fromkeys(("the", "its", "their", "his", "her"), "the"),
}

_NAMED = r"(?P<article>An? |The )?(?P<term>[^\s,;:()](?:[^,;:()]|,(?=[0-9])){1,60}?)(?: \((?P<acronym>[^)\s]{2,12})\))?"

DEFINITIONS = (
    re.compile(rf"{_NAMED} (?P<verb>is|are) (?P<body>(?:an?|the|any|one of the) .+)\."),
    re.compile(rf"{_NAMED} (?P<verb>are) (?P<body>[a-z][^,]*? (?:that|which|who|whose|with|in which|for) .+)\."),
    re.compile(rf"{_NAMED} (?P<verb>is) (?P<body>[a-z][^,]*? (?:that|which|who) .+)\."),
    re.compile(rf"{_NAMED} (?:means|refers to|denotes|(?:is|are) defined as) (?P<body>(?:an?|the|any) .+)\."),
    re.compile(
        r"(?P<body>(?:An?|The) [^,;:]{20,}?) (?P<verb>is|are) (?:also )?(?:called|known as|termed) (?:an? |the )?"
        r"(?P<term>[^\s,;:()][^,;:()]{1,40})\."
    ),
    re.compile(rf"{_NAMED}, (?P<body>(?:an?|the) [^,;:]{{18,}}), .+\."),
)

HUMAN_VERBS = _words(
    """announced argued built calculated called coined completed composed conceived concluded confirmed created
    demonstrated derived described designed detected developed discovered documented established explained formulated
    founded identified implemented introduced invented isolated launched led made mapped measured named noticed observed
    planted patented predicted presented proposed proved proved published realised realized received recognised
    recognized recorded released reported revived sequenced showed solved stated started studied suggested tested
    translated visited won worked wrote"""
)

OPPOSITES = {
    "increases": "decreases", "increase": "decrease", "increased": "decreased", "rises": "falls", "raises": "lowers",
    "higher": "lower", "highest": "lowest", "more": "less", "less": "more", "faster": "slower",
    "larger": "smaller", "largest": "smallest", "longer": "shorter", "longest": "shortest", "stronger": "weaker",
    "strongest": "weakest", "oldest": "youngest", "older": "younger", "newer": "older", "before": "after",
    "after": "before", "inside": "outside", "outside": "inside", "absorbs": "emits", "releases": "absorbs",
    "release": "absorb", "open": "close", "opens": "closes", "close": "open", "closes": "opens", "public": "private",
    "private": "public", "physical": "virtual", "virtual": "physical", "static": "dynamic", "dynamic": "static",
    "internal": "external", "external": "internal", "local": "remote", "remote": "local", "incoming": "outgoing",
    "outgoing": "incoming", "upper": "lower", "positive": "negative",
    "negative": "positive", "always": "never", "never": "always", "gain": "lose", "gained": "lost", "lost": "gained",
    "soluble": "insoluble", "synchronous": "asynchronous", "symmetric": "asymmetric", "aerobic": "anaerobic",
    "organic": "inorganic", "inorganic": "organic", "enabled": "disabled", "disabled": "enabled", "allows": "prevents",
    "prevents": "allows", "maximum": "minimum", "minimum": "maximum", "proportional": "inversely proportional",
}  # fmt: skip

GRAMMAR = Grammar(
    tags=TAGS,
    plural_tags=frozenset({"NN2"}),
    frames=FRAMES,
    neutral_articles={"a": "a(n)", "an": "a(n)"},
    genders={},
    gender_endings={},
    agreement={
        **dict.fromkeys(("is", "was", "has", "does"), False),
        **dict.fromkeys(("are", "were", "have", "do"), True),
    },
    copulas=_words("is are was were"),
    human_verbs=HUMAN_VERBS,
    definitions=DEFINITIONS,
    turn=re.compile(
        r"[;:] | \((?:e\.g\.|i\.e\.|see)|"
        r", (?:but|whereas|while|because|so|although|yet|and (?:it|they|he|she|its|their)) "
    ),
    relatives=_words("that which who whose where when by in"),
    empty_body=re.compile(
        r"^one of the (?:most|main|major)|^(?:an?|the) (?:very |quite |most |slightly )?(?:important|good|better|best|"
        r"useful|great|simple|efficient|elegant|interesting|notable|fundamental|integral|major|essential|key|main)\b|"
        r"\b(?:acronym|abbreviation|synonym|responsibilit)",
        re.IGNORECASE,
    ),
    definite_articles=frozenset({"the"}),
    year=re.compile(r",? ?\b[Ii]n (?P<year>1[0-9]{3}|20[0-9]{2})\b,?"),
    numerals=("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    calendar=_words(
        """january february march april may june july august september october november december monday tuesday
        wednesday thursday friday saturday sunday spring summer autumn winter"""
    ),
    decimal_mark=".",
    hedges=_words("about almost approximately around circa nearly roughly some"),
    opposites=OPPOSITES,
    verbs_stand_second=False,
    nouns_are_capitalised=False,
)

HABITS = Habits(
    initial=re.compile(r"(?:^|[\s(])(?:[^\W\d_IVX]|(?<![^\W\d_A-Z]{4}\s)[IVX])$"),
    abbreviations=_words(
        """e.g i.e etc vs cf fig figs eq eqs no vol ed eds al dr mr mrs ms prof st approx dept est inc ltd resp sec ca
        pp p"""
    ),
    function_words=_words(
        """the of and to a an in is are was were that which for with by on as at from it its be or not can has have had
        into when where their than because but while whereas between through only also may one who if"""
    ),
    connectives=(
        "however",
        "furthermore",
        "moreover",
        "additionally",
        "in addition",
        "also",
        "therefore",
        "thus",
        "hence",
        "consequently",
        "as a result",
        "for example",
        "for instance",
        "in particular",
        "in fact",
        "in general",
        "generally",
        "finally",
        "similarly",
        "likewise",
        "conversely",
        "in contrast",
        "by contrast",
        "on the other hand",
        "nevertheless",
        "nonetheless",
        "meanwhile",
        "in practice",
        "in other words",
        "of course",
        "naturally",
        "interestingly",
        "importantly",
        "more precisely",
        "traditionally",
        "historically",
        "typically",
        "usually",
        "first",
        "second",
        "third",
        "next",
        "then",
        "lastly",
        "as such",
        "overall",
        "specifically",
        "note that",
    ),
    entry=re.compile(
        r"(?P<term>[^\W\d_][^:.;,]{1,48}?)(?: ?: | [\u2013\u2014-] )(?P<body>(?:[Aa]n?|[Tt]he) [^:;]*? "
        r"(?:that|which|who|whose|where|used (?:to|for)|of)\b[^:;]{8,})"
    ),
    entry_verb="is",
    labels=_words(
        """note notes warning tip hint caution attention remark reminder summary conclusion definition theorem lemma
        proof source answer hypothesis goal aim task key idea main point remember important update see"""
    ),
    openers=_words(
        """this these those that it they he she its their his her such here both each another other others one neither
        either same former latter so then thus therefore hence consequently accordingly otherwise nevertheless instead
        similarly likewise conversely also moreover but and or yet nor see let suppose consider recall imagine note
        however what why how who when? no yes please first second third next finally again i we you my our your to"""
    ),
    dangling=re.compile(
        r"\b(?:this|these|those|aforementioned|former|latter|following|previous|previously|here|"
        r"(?:[Ss]ection|[Cc]hapter|[Ff]igure|[Tt]able|[Pp]age|[Aa]ppendix|[Ee]quation)s? (?=[0-9A-Z])|"
        r"sidebar|lecture|slide|"
        r"we|you|your|yourself|our|us|my|me|let's|I(?= (?:am|was|have|had|will|think|would))|"
        r"such (?!as\b)|the (?:above|same|other|others|next|last|chapter|section|figure|table|example)|"
        r"(?:to|with|for|from|after|before|by|than|like|of|in|on) that(?=[,.;])|"
        r"however,|as well|too|in turn|(?:above|below)(?! (?:the|an?|[0-9]))|do so|doing so|etc)\b(?!-)"
        r"|^(?:In|At|On|During|From|By|For|Since|After|Until) (?:that|those)\b"
        r"|^(?:In|On|For|With|To|From|By|At|Unlike|Like|Despite)\b[^,]{2,60}, (?:it|they|he|she)\b"
    ),
    person_words=_words("he she him his her hers himself herself"),
    thing_words=_words("it its itself they them their theirs themselves"),
    plural_words=_words("they them their theirs themselves"),
    generic=_words(
        """case-in-point way ways thing things kind kinds type types sort sorts form forms part parts number numbers
        amount amounts example examples case cases fact facts result results reason reasons use uses order
        point points set sets group groups level levels range ranges series step steps stage stages state
        states term terms time times day days year years hour hours minute minutes second seconds place
        places area areas end ends side sides line lines interior exterior mode modes supply name names list
        lists problem problems question questions answer answers idea ideas method methods approach
        approaches process processes system systems thanks lot lots variety majority rest half quarter third
        people person user users man men woman women work works change changes need needs piece pieces
        purpose purposes role roles effect effects advantage advantages disadvantage disadvantages
        difference differences feature features option options property properties value values item items
        object objects element elements unit units member members version versions world country countries
        book books text word words page pages addition contrast instance manner fashion extent degree course
        author authors study studies research paper view means choice choices context situation situations
        possibility possibilities attempt support access risk quality size length sense start beginning
        moment period century centuries decade decades aspect aspects basis detail details factor factors
        issue issues matter matters pair pairs combination combinations collection total sum rule rules task
        tasks action actions activity activities job jobs requirement requirements limit limits condition
        conditions consequence consequences explanation cause causes turn turns top bottom front back centre
        center middle first last other others same several many few most"""
    ),
)

WORDING = Wording(
    which_term="Which term fits this description: {body}?",
    which_description="Which description fits “{term}”?",
    which_number="Which number is missing? {stem}",
    which_definitions="Which of these definitions are correct: {terms}?",
    match_terms="Match each term with its description.",
    is_a="{term} is {body}.",
    are_a="{term} are {body}.",
    what_is="What is {term}?",
    what_are="What are {term}?",
    stands_for="What does {acronym} stand for?",
    who="Who {rest}?",
    what="What {rest}?",
    which_of_these="Which of the following {rest}?",
    which_year="In which year did this happen? {sentence}",
    complete="Complete the sentence: {stem}",
    source_says="The source says: “{sentence}”",
    right_instead_of_wrong="The statement says “{wrong}” where “{right}” is correct.",
    describes_other="The statement gives the description of “{other}”.",
    describes_instead="“{term}” is given the description of “{other}”.",
)

ENGLISH = Language(
    code="en", name="English", model="morphmodel_en.pgz", grammar=GRAMMAR, habits=HABITS, wording=WORDING
)
