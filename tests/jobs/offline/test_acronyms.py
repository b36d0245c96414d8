"""Which abbreviations a module spells out."""

import pytest

from jobs.offline.analysis import Analysis
from tests.jobs.offline.reading import analysed


@pytest.mark.parametrize(
    ("sentence", "short", "expansion"),
    [
        ("The energy is stored in adenosine triphosphate (ATP) by the plant.", "ATP", "adenosine triphosphate"),
        ("Abscisic acid (ABA) is a hormone that closes the stomata.", "ABA", "abscisic acid"),
        ("The Great Oxidation Event (GOE) changed the air of the planet.", "GOE", "Great Oxidation Event"),
        (
            "The site runs on TCP (Transmission Control Protocol) and on a cable.",
            "TCP",
            "Transmission Control Protocol",
        ),
        (
            "The enzyme ribulose-1,5-bisphosphate carboxylase/oxygenase (RuBisCO) binds the gas in the leaf.",
            "RuBisCO",
            "ribulose-1,5-bisphosphate carboxylase/oxygenase",
        ),
    ],
)
def test_an_abbreviation_beside_its_long_form_is_found(sentence: str, short: str, expansion: str) -> None:
    [acronym] = analysed(sentence).acronyms
    assert (acronym.short, acronym.expansion) == (short, expansion)


@pytest.mark.parametrize(
    "sentence",
    [
        "The first plants (III) lived on the land for a long time.",
        "The yield of the wheat (2019) was lower than in the year before.",
        "The stroma of the leaf (see below) contains the enzymes of the cycle.",
        "The protein binds to the membrane (USA) in the laboratory of the team.",
    ],
)
def test_other_brackets_spell_nothing_out(sentence: str) -> None:
    assert analysed(sentence).acronyms == ()


def test_both_chapters_spell_theirs_out(photosynthesis: Analysis, networks: Analysis) -> None:
    assert {"NADPH", "PEPC", "G3P", "LHCII"} <= {acronym.short for acronym in photosynthesis.acronyms}
    assert {"DNS", "TCP", "UDP", "TLS"} <= {acronym.short for acronym in networks.acronyms}
