"""Course material for the simulator: invented facts, one a sentence, no two of them alike; and reading them back."""

import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

from rapidfuzz import fuzz, process

# Below what the product takes for the same question, whatever a type makes of the sentence.
ALIKE_MAX = 78
FACTS_PER_PARAGRAPH = 4

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
GROUPS = ["guild", "order", "colony", "academy", "family", "brigade", "workshop", "province", "fleet", "choir"]
VERBS = [
    "collects",
    "repairs",
    "imports",
    "paints",
    "measures",
    "protects",
    "harvests",
    "weaves",
    "refines",
    "exports",
    "studies",
    "buries",
]
WHEN = ["during", "before", "after", "throughout", "in spite of", "because of", "in exchange for"]
KINDS = [
    "copper",
    "winter",
    "silent",
    "crimson",
    "hollow",
    "northern",
    "ancient",
    "floating",
    "bitter",
    "double",
    "hidden",
    "woollen",
]
EVENTS = [
    "festival",
    "harvest",
    "siege",
    "eclipse",
    "treaty",
    "regatta",
    "drought",
    "coronation",
    "market",
    "flood",
    "census",
    "parade",
]
WHERE = ["near", "below", "west of", "opposite", "above", "outside", "between the towers of", "on the shore of"]

_FACT = re.compile(
    r"The (?P<subject>[A-Z]\w+ [A-Z]\w+ \w+) (?P<verb>[a-z]+) (?P<key>[a-z]+) (?P<rest>[^.]+ [A-Z]\w+)\."
)


class Module(NamedTuple):
    name: str
    text: str


@dataclass(frozen=True)
class Fact:
    """`The <subject> <verb> <key> <rest>.`"""

    subject: str
    verb: str
    key: str
    rest: str

    @property
    def sentence(self) -> str:
        return self.saying(self.key)

    @property
    def asked(self) -> str:
        return f"What does the {self.subject} {_base(self.verb)} {self.rest}?"

    def saying(self, word: str) -> str:
        return f"The {self.subject} {self.verb} {word} {self.rest}."


def write(seed: int, modules: int, facts_per_module: int) -> list[Module]:
    """The same for the same numbers."""
    random = Random(f"modules of {seed}")
    facts = _different_facts(random, modules * facts_per_module)
    found = []
    for number in range(modules):
        own = facts[number * facts_per_module : (number + 1) * facts_per_module]
        found.append(Module(f"Chapter {number + 1}: {_name(random, 3)}", _text(own)))
    return found


@lru_cache(maxsize=4096)
def facts_in(text: str) -> tuple[Fact, ...]:
    return tuple(Fact(**found.groupdict()) for found in _FACT.finditer(text))


def _different_facts(random: Random, count: int) -> list[Fact]:
    facts: list[Fact] = []
    asked: list[str] = []
    while len(facts) < count:
        fact = _fact(random)
        line = f"{fact.asked} {fact.key}".casefold()
        if process.extractOne(line, asked, scorer=fuzz.ratio, score_cutoff=ALIKE_MAX) is None:
            facts.append(fact)
            asked.append(line)
    return facts


def _fact(random: Random) -> Fact:
    return Fact(
        subject=f"{_name(random, 3)} {_name(random, 2)} {random.choice(GROUPS)}",
        verb=random.choice(VERBS),
        key=_name(random, 4).lower(),
        rest=f"{random.choice(WHEN)} the {random.choice(KINDS)} {random.choice(EVENTS)} "
        f"{random.choice(WHERE)} {_name(random, 4)}",
    )


def _name(random: Random, syllables: int) -> str:
    name = "".join(random.choice(CONSONANTS) + random.choice(VOWELS) for _ in range(syllables))
    return (name + random.choice(CONSONANTS)).capitalize()


def _text(facts: list[Fact]) -> str:
    starts = range(0, len(facts), FACTS_PER_PARAGRAPH)
    return "\n\n".join(" ".join(fact.sentence for fact in facts[at : at + FACTS_PER_PARAGRAPH]) for at in starts)


def _base(verb: str) -> str:
    return f"{verb[:-3]}y" if verb.endswith("ies") else verb[:-1]
