"""Where one module ends and the next begins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.formats.base import Block
from jobs.sections import (
    NAME_CHARACTERS_MAX,
    SECTION_CHARACTERS_MAX,
    SECTION_CHARACTERS_MIN,
    ExtractedModule,
    modules_of,
)

PROSE = Block("A sentence of prose. " * 12)
SHORT = Block("Too short.")


def heading(text: str, level: int = 1) -> Block:
    return Block(text, level)


def names(*blocks: Block) -> list[str]:
    return [module.name for module in modules_of(blocks, "Course")]


def test_sections_under_one_title_are_the_modules() -> None:
    assert names(heading("Title"), heading("One", 2), PROSE, heading("Two", 2), PROSE) == ["One", "Two"]


def test_several_top_headings_are_the_modules_with_what_stands_below_them() -> None:
    blocks = [heading("One"), PROSE, heading("Sub", 2), PROSE, heading("Sub", 2), PROSE, heading("Two"), PROSE]
    assert names(*blocks) == ["One", "Two"]
    assert modules_of(blocks, "Course")[0].text.count("\n\nSub\n\n") == 2


def test_an_only_section_below_the_title_is_passed_over_too() -> None:
    assert names(heading("T"), heading("Part", 2), heading("One", 3), PROSE, heading("Two", 3), PROSE) == ["One", "Two"]


def test_an_introduction_with_enough_text_is_a_module_of_its_own() -> None:
    sections = [heading("One", 2), PROSE, heading("Two", 2), PROSE]
    assert names(heading("Title"), PROSE, *sections) == ["Title", "One", "Two"]
    assert names(PROSE, *sections) == ["Course", "One", "Two"]


def test_a_short_introduction_goes_to_the_head_of_the_first_module() -> None:
    modules = modules_of([heading("Title"), SHORT, heading("One", 2), PROSE, heading("Two", 2), PROSE], "Course")
    assert [module.name for module in modules] == ["One", "Two"]
    assert modules[0].text.startswith("Title\n\nToo short.\n\nOne\n\nA sentence")


def test_a_short_section_goes_to_the_end_of_the_one_before() -> None:
    modules = modules_of([heading("One"), PROSE, heading("Aside"), SHORT, heading("Two"), PROSE], "Course")
    assert [module.name for module in modules] == ["One", "Two"]
    assert modules[0].text.endswith("\n\nAside\n\nToo short.")


@pytest.mark.parametrize(("length", "count"), [(SECTION_CHARACTERS_MIN - 1, 1), (SECTION_CHARACTERS_MIN, 2)])
def test_a_heading_does_not_count_as_text_of_its_section(length: int, count: int) -> None:
    assert len(names(heading("One"), PROSE, heading("A long heading " * 10), Block("x" * length))) == count


def test_slides_are_put_together_until_they_are_enough() -> None:
    slides = [part for number in range(7) for part in (heading(f"Slide {number}", 2), PROSE)]
    found = modules_of(slides, "Deck", section_characters_min=400)
    assert [module.name for module in found] == ["Slide 0", "Slide 2", "Slide 4"]
    assert "Slide 6" in found[-1].text


def test_a_table_of_contents_is_left_out_unless_there_is_nothing_else() -> None:
    directory = Block(
        "1 Leaves . . . . . . . . . . . . . . . . . . 3\n2 Roots . . . . . . . . . . . . . . . . . . . . 9"
    )
    contents = [heading("Contents"), *[directory] * 5, heading("Leaves"), PROSE]
    assert [(module.name, module.is_left_out) for module in modules_of(contents, "Course")] == [
        ("Contents", True),
        ("Leaves", False),
    ]


def test_a_document_in_one_piece_has_the_name_of_its_first_heading_or_its_title() -> None:
    assert names(SHORT) == ["Course"]
    assert names(heading("Title"), SHORT) == ["Title"]
    assert names(heading("Title"), heading("One", 2), SHORT, heading("Two", 2), SHORT) == ["Title"]


def test_no_blocks_are_no_modules() -> None:
    assert modules_of([], "Course") == []
    assert modules_of([Block(" \n"), Block("", 1)], "Course") == []


def test_tight_blocks_stand_on_the_next_line() -> None:
    blocks = [Block("- a"), Block("- b", is_tight=True), Block("end")]
    assert modules_of(blocks, "Course") == [ExtractedModule(name="Course", text="- a\n- b\n\nend")]


def test_the_same_name_gets_a_number() -> None:
    blocks = [heading("One"), PROSE, heading("One (2)"), PROSE, heading("One"), PROSE, heading("One"), PROSE]
    assert names(*blocks) == ["One", "One (2)", "One (3)", "One (4)"]


def test_names_are_single_lines_of_limited_length_and_still_different() -> None:
    long = "An endless heading " * 40
    found = names(heading(long), PROSE, heading(long), PROSE, heading(" a\n b\tc "), PROSE)
    assert len(set(found)) == 3
    assert max(map(len, found)) <= NAME_CHARACTERS_MAX
    assert found[1].endswith("… (2)")
    assert found[2] == "a b c"


def test_a_section_within_the_limit_stays_whole() -> None:
    assert names(heading("One"), *[PROSE] * (SECTION_CHARACTERS_MAX // (len(PROSE.text) + 2) - 1)) == ["One"]


def test_a_long_section_becomes_numbered_parts_of_about_equal_length() -> None:
    blocks = [heading("One"), *[PROSE] * 600]
    modules = modules_of(blocks, "Course")
    assert [module.name for module in modules] == ["One (1/3)", "One (2/3)", "One (3/3)"]
    lengths = [len(module.text) for module in modules]
    assert max(lengths) <= SECTION_CHARACTERS_MAX
    assert min(lengths) > 0.8 * max(lengths)


def test_parts_begin_at_a_heading_where_one_is_near_and_never_end_with_one() -> None:
    blocks = [heading("One")]
    for number in range(12):
        blocks += [heading(f"Sub {number}", 3), *[PROSE] * 40]
    blocks += [heading("Two"), PROSE]
    parts = [module.text for module in modules_of(blocks, "Course") if module.name.startswith("One")]
    assert len(parts) > 1
    assert all(part.startswith("Sub ") for part in parts[1:])
    assert all(part.endswith("prose.") for part in parts)


@pytest.mark.parametrize("unit", ["A sentence here. ", "a line\n", "漢字の文。", "word ", "x"])
def test_one_endless_block_is_cut_where_something_ends(unit: str) -> None:
    text = unit * (3 * SECTION_CHARACTERS_MAX // len(unit))
    modules = modules_of([Block(text)], "Course")
    assert all(0 < len(module.text) <= SECTION_CHARACTERS_MAX for module in modules)
    assert all(module.text.endswith(unit.strip()) for module in modules)
    kept = "".join("".join(module.text.split()) for module in modules)
    assert kept == "".join(text.split())


BLOCKS = st.lists(
    st.builds(Block, text=st.text(alphabet="ab \n", max_size=400), level=st.integers(0, 6), is_tight=st.booleans()),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(blocks=BLOCKS)
def test_no_word_is_lost_and_none_changes_its_place(blocks: list[Block]) -> None:
    words = [word for block in blocks for word in block.text.split()]
    modules = modules_of(blocks, "Course")
    assert [word for module in modules for word in module.text.split()] == words
    assert len({module.name for module in modules}) == len(modules)
