"""The gender of German nouns, as far as the module's articles tell it."""

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.german import GERMAN
from tests.jobs.offline.reading import analysed


def gender(analysis: Analysis, text: str) -> str:
    return analysis.lexicon.terms[text.casefold()].gender


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Router", "m"), ("Internet", "n"), ("Firewall", "f"), ("Latenz", "f"), ("OSI-Modell", "n"), ("Kapselung", "f")],
)
def test_articles_and_endings_tell_the_gender(networks: Analysis, text: str, expected: str) -> None:
    assert gender(networks, text) == expected


def test_a_compound_has_the_gender_of_its_last_part() -> None:
    analysis = analysed(
        "Das Protokoll ist eine Vereinbarung, die zwei Rechner befolgen. "
        "Der Rechner nutzt Transportprotokoll und Netz bei der Arbeit mit den Daten.",
        GERMAN,
    )
    assert gender(analysis, "Transportprotokoll") == "n"


def test_where_nothing_tells_it_stays_open() -> None:
    analysis = analysed("Die Leitung verbindet mit Blorb und mit anderen Netzen der Stadt.", GERMAN)
    assert gender(analysis, "Blorb") == ""


def test_english_has_none(photosynthesis: Analysis) -> None:
    assert {term.gender for term in photosynthesis.lexicon.terms.values()} == {""}
