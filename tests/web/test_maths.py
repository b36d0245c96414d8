"""Formulas are drawn, everything else is text, and neither can bring markup of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from web.maths import FORMULA_CHARACTERS_MAX, with_formulas


@pytest.mark.parametrize("text", [r"\(x^2\)", r"so $x^2$ is", "$$x^2$$", r"\[x^2\]", "($x^2$),"])
def test_formulas_are_drawn(text: str) -> None:
    drawn = html.fragment_fromstring(with_formulas(text), create_parent=True)
    assert len(drawn.findall(".//msup")) == 1
    assert "\\" not in drawn.text_content()
    assert "$" not in drawn.text_content()


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $6.",
        "$5-$6",
        "A $ and a $",
        "$x$ is a name in PHP",
        r"\( is not closed",
        rf"\({'x' * (FORMULA_CHARACTERS_MAX + 1)}\)",
        r"\({{{{\)",
        "C:\\temp\\(old)",
        "<b>&amp;</b>",
    ],
)
def test_what_is_no_formula_stands_as_it_was_written(text: str) -> None:
    drawn = html.fragment_fromstring(with_formulas(text), create_parent=True)
    assert drawn.text_content() == text
    assert len(drawn) == 0


@pytest.mark.parametrize(
    "formula",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\style{background:url(x)}{x}",
        r"\class{a}{x}",
        r"\text{&lt;script&gt;}",
    ],
)
def test_a_formula_brings_no_markup_of_its_own(formula: str) -> None:
    drawn = html.fragment_fromstring(with_formulas(rf"\({formula}\)"), create_parent=True)
    for element in drawn.iterdescendants():
        assert element.tag.startswith("m")
        assert not {"href", "style", "class", "onerror", "src"} & set(element.attrib)


@given(st.text(alphabet=r"\()[]$^_{}<>&x1 frac" + "\n", max_size=60))
def test_any_text_gives_well_formed_html_without_foreign_elements(text: str) -> None:
    drawn = html.fragment_fromstring(with_formulas(text), create_parent=True)
    assert all(str(element.tag).startswith("m") for element in drawn.iterdescendants())
