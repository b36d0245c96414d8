"""What is accepted in a gap."""

import pytest

from jobs.offline.cloze import accepted_answers
from jobs.offline.gaps import gaps_in
from tests.jobs.offline.reading import analysed

TEXT = (
    "Adenosine triphosphate (ATP) is a molecule that stores energy. "
    "The Calvin cycle of the chloroplast consumes ATP in the stroma. "
    "The light provides the adenosine triphosphate that the leaf consumes. "
    "The cluster of the complex contains two calcium ions in its centre."
)


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ("ATP", ("ATP", "adenosine triphosphate")),
        ("adenosine triphosphate", ("adenosine triphosphate", "ATP")),
        ("two", ("two", "2")),
        ("stroma", ("stroma",)),
    ],
)
def test_what_means_the_same_is_accepted(key: str, accepted: tuple[str, ...]) -> None:
    analysis = analysed(TEXT)
    [gap] = [found for found in gaps_in(analysis) if found.key == key]
    assert accepted_answers(gap, analysis) == accepted
