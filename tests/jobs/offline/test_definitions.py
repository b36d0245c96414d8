"""Which sentences define a term, and where the description ends."""

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.definitions import Definition
from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from tests.jobs.offline.reading import analysed


def definitions(text: str, language: Language = ENGLISH) -> tuple[Definition, ...]:
    return analysed(text, language).definitions


@pytest.mark.parametrize(
    ("sentence", "term", "body"),
    [
        (
            "A granum is a stack of thylakoids that resembles a pile of coins.",
            "granum",
            "a stack of thylakoids that resembles a pile of coins",
        ),
        (
            "Thylakoids are flattened membrane sacs that float in the stroma.",
            "thylakoids",
            "flattened membrane sacs that float in the stroma",
        ),
        (
            "Plastoquinone (PQ) is a small molecule that carries electrons.",
            "plastoquinone",
            "a small molecule that carries electrons",
        ),
        (
            "Photolysis refers to the splitting of water by the energy of light.",
            "photolysis",
            "the splitting of water by the energy of light",
        ),
        (
            "The movement of water through a membrane of the cell is called osmosis.",
            "osmosis",
            "the movement of water through a membrane of the cell",
        ),
        (
            "A proxy is a server that stands in for others, and many features are made by modules.",
            "proxy",
            "a server that stands in for others",
        ),
        (
            "LHCII is the most abundant membrane protein on Earth and binds half of the chlorophyll.",
            "LHCII",
            "the most abundant membrane protein on Earth",
        ),
    ],
)
def test_a_definition_is_found_with_its_description(sentence: str, term: str, body: str) -> None:
    [definition] = definitions(sentence)
    assert (definition.term, definition.body) == (term, body)


@pytest.mark.parametrize(
    ("sentence", "term"),
    [
        ("Ein Router ist ein Gerät, das Pakete zwischen verschiedenen Netzen weiterleitet.", "Router"),
        ("Als Latenz bezeichnet man die Zeit, die ein Paket bis zum Empfänger benötigt.", "Latenz"),
        ("Unter einer Firewall versteht man ein System, das unerwünschte Verbindungen blockiert.", "Firewall"),
        ("Das Domain Name System (DNS) ist eine Datenbank, die Namen in Adressen übersetzt.", "Domain Name System"),
    ],
)
def test_german_definitions_are_found(sentence: str, term: str) -> None:
    assert [definition.term for definition in definitions(sentence, GERMAN)] == [term]


@pytest.mark.parametrize(
    "sentence",
    [
        "The result is a table that shows the wavelengths of the light.",
        "The files are labelled in a way that ensures the safety of the data.",
        "The first parameter is the domain which executes the operation.",
        "Making backups is a duty that falls to the owner of the machine.",
        "Mildew is an important problem for the growers of the grapes.",
        "Chemiosmosis is a process of chemiosmosis that the plant uses at night.",
        "Osmosis is clear to everyone who has seen a wilted plant recover.",
    ],
)
def test_what_only_looks_like_a_definition_is_none(sentence: str) -> None:
    assert definitions(sentence) == ()


def test_the_kind_of_thing_is_known(photosynthesis: Analysis) -> None:
    genus = {definition.term: definition.genus for definition in photosynthesis.definitions}
    assert genus["ATP synthase"] == "enzyme"
    assert genus["abscisic acid"] == "hormone"


def test_number_and_article_are_known(photosynthesis: Analysis) -> None:
    found = {definition.term: definition for definition in photosynthesis.definitions}
    assert found["thylakoids"].is_plural
    assert not found["stroma"].is_plural
    assert found["stroma"].article == "The"
    assert found["granum"].article == "A"


def test_the_chapters_have_many_definitions(photosynthesis: Analysis, networks: Analysis) -> None:
    assert len(photosynthesis.definitions) >= 60
    assert len(networks.definitions) >= 20
