"""Which definitions go into one question."""

from itertools import combinations

from jobs.offline.analysis import Analysis
from jobs.offline.definitions import Definition
from jobs.offline.distractors import Distractors
from jobs.offline.passages import GROUP_MAX, PASSAGE_CHARACTERS_MAX, groups, names_of, strangers
from tests.jobs.offline.reading import analysed

ORGANS = ("stoma", "xylem", "phloem", "cuticle", "vacuole", "nodule", "taproot", "endodermis", "mycorrhiza")


def anything(_one: Definition, _other: Definition) -> bool:
    return True


def defined(count: int, between: str = " ") -> Analysis:
    colours = ("green", "white", "brown", "yellow", "purple", "orange", "violet", "silver", "crimson")
    sentences = (
        f"A {organ} is a {colour} tissue that the gardener number {place} describes at length."
        for place, (organ, colour) in enumerate(zip(ORGANS[:count], colours, strict=False))
    )
    return analysed(between.join(sentences))


def test_neighbours_are_grouped_and_each_is_used_once(photosynthesis: Analysis) -> None:
    found = list(groups(photosynthesis.definitions, anything))
    used = [definition.key for group in found for definition in group]
    assert len(used) == len(set(used))
    assert len(found) >= 15
    assert all(3 <= len(group) <= GROUP_MAX for group in found)


def test_a_group_fits_into_one_quote(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis in (photosynthesis, networks):
        for group in groups(analysis.definitions, anything):
            sentences = [definition.statement.sentence for definition in group]
            assert sentences[-1].end - sentences[0].start <= PASSAGE_CHARACTERS_MAX


def test_two_definitions_are_no_group_and_seven_are_two() -> None:
    assert [names_of(group) for group in groups(defined(2).definitions, anything)] == []
    assert [names_of(group) for group in groups(defined(7).definitions, anything)] == [
        "stoma, xylem, phloem, cuticle",
        "vacuole, nodule, taproot",
    ]


def test_definitions_that_stand_far_apart_are_no_group() -> None:
    filler = " " + "The gardener walks through the garden and looks at the plants in the morning. " * 15
    assert list(groups(defined(4, between=filler).definitions, anything)) == []


def test_only_what_can_stand_side_by_side_is_joined() -> None:
    def are_apart(one: Definition, other: Definition) -> bool:
        return {one.key, other.key} != {"stoma", "xylem"}

    [first, second] = groups(defined(8).definitions, are_apart)
    assert names_of(first) == "stoma, phloem, cuticle, vacuole"
    assert names_of(second) == "xylem, nodule, taproot, endodermis"


def test_strangers_come_from_outside_and_fit_no_member(photosynthesis: Analysis) -> None:
    distractors = Distractors(photosynthesis)
    for group in groups(photosynthesis.definitions, distractors.are_apart):
        assert all(distractors.are_apart(one, other) for one, other in combinations(group, 2))
        for stranger in strangers(group, group[0], distractors):
            assert stranger not in group
            assert stranger.is_plural == group[0].is_plural
            assert all(distractors.are_apart(stranger, member) for member in group)
