"""What the offline generator has to know about a language: its words, its grammar and its phrases."""

import re
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The part of speech, as coarse as the generator needs it."""

    NOUN = "noun"
    NAME = "name"
    ADJECTIVE = "adjective"
    PARTICIPLE = "participle"
    FINITE = "finite verb"
    VERB = "other verb"
    DETERMINER = "determiner"
    PRONOUN = "pronoun"
    PREPOSITION = "preposition"
    CONJUNCTION = "conjunction"
    NUMBER = "number"
    ADVERB = "adverb"
    MARK = "punctuation"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Wording:
    """The phrases around the words of the module. Names in braces are filled by `str.format`."""

    which_term: str
    which_description: str
    which_number: str
    which_definitions: str
    match_terms: str
    is_a: str
    are_a: str
    what_is: str
    what_are: str
    stands_for: str
    who: str
    what: str
    which_of_these: str
    which_year: str
    complete: str
    source_says: str
    right_instead_of_wrong: str
    describes_other: str
    describes_instead: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """Closed classes of words, lower case, and the patterns of defining sentences."""

    tags: dict[str, Kind]
    plural_tags: frozenset[str]
    frames: dict[str, str]
    neutral_articles: dict[str, str]
    genders: dict[str, str]
    gender_endings: dict[str, str]
    agreement: dict[str, bool]
    copulas: frozenset[str]
    human_verbs: frozenset[str]
    definitions: tuple[re.Pattern[str], ...]
    turn: re.Pattern[str]
    relatives: frozenset[str]
    empty_body: re.Pattern[str]
    definite_articles: frozenset[str]
    year: re.Pattern[str]
    numerals: tuple[str, ...]
    calendar: frozenset[str]
    decimal_mark: str
    hedges: frozenset[str]
    opposites: dict[str, str]
    verbs_stand_second: bool
    nouns_are_capitalised: bool


@dataclass(frozen=True, slots=True)
class Habits:
    """What tells a sentence that stands alone from one that leans on its neighbours."""

    initial: re.Pattern[str]
    abbreviations: frozenset[str]
    function_words: frozenset[str]
    connectives: tuple[str, ...]
    entry: re.Pattern[str]
    entry_verb: str
    labels: frozenset[str]
    openers: frozenset[str]
    dangling: re.Pattern[str]
    person_words: frozenset[str]
    thing_words: frozenset[str]
    plural_words: frozenset[str]
    generic: frozenset[str]


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    model: str
    grammar: Grammar
    habits: Habits
    wording: Wording
