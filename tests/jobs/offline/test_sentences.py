"""Which sentences stand alone, and that each quote is the module's own text."""

import pytest

from jobs.offline.english import ENGLISH
from jobs.offline.german import GERMAN
from jobs.offline.languages import Language
from jobs.offline.sentences import Sentence, standing_alone

GOOD = "The stroma is the fluid that fills the chloroplast."


def found(text: str, language: Language = ENGLISH) -> list[Sentence]:
    return list(standing_alone(text, language, lambda: None))


@pytest.mark.parametrize(
    "poor",
    [
        "This process takes place in the stroma of the chloroplast.",
        "It takes place in the stroma of the chloroplast.",
        "They are found in the stroma of the chloroplast.",
        "Does the stroma contain the enzymes of the Calvin cycle?",
        "As shown in Figure 3, the stroma is a fluid in the leaf.",
        "You can see the stroma with a microscope in the lab.",
        "In that time, the stroma was not known to the botanists.",
        "In contrast to starch, it is soluble in the water of the cell.",
        "The stroma is a fluid.",
        "the stroma of the chloroplast and the lumen of the thylakoid.",
        "Run `make install` and the value is x = f(y) in the shell.",
        "Le stroma est le liquide qui remplit le chloroplaste des plantes.",
        "The list of the parts: stroma, lumen, granum and the envelope",
        "See https://example.org for the rest of the story of the leaf.",
        "[Ibid.] The stroma is the fluid that fills the chloroplast.",
    ],
)
def test_a_sentence_that_leans_on_others_is_left_out(poor: str) -> None:
    assert [sentence.text for sentence in found(f"{poor}\n\n{GOOD}")] == [GOOD]


def test_a_leading_connective_is_dropped_from_the_text_but_not_from_the_quote() -> None:
    [sentence] = found(f"However, {GOOD[0].lower()}{GOOD[1:]}")
    assert sentence.text == GOOD
    assert sentence.quote.startswith("However, the stroma")


def test_the_quote_is_what_stands_in_the_module() -> None:
    module = "Words before.\n\nThe **stroma** is the\nfluid that [fills](https://a.example/b) the chloroplast [3].\n"
    [sentence] = found(module)
    assert sentence.text == GOOD
    assert module[sentence.start : sentence.end] == sentence.quote
    assert "**stroma**" in sentence.quote


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Plants, e.g. maize, fix the carbon in the leaf. The stomata open at night in a cactus.", ENGLISH, 2),
        ("Dr. J. Priestley found that a plant can restore the air. A mouse was in the jar of the lab.", ENGLISH, 2),
        ("The electrons flow to the photosystem I. The light excites the electrons a second time.", ENGLISH, 2),
        ("Der Vertrag wurde am 3. Oktober in der Stadt von beiden Seiten unterzeichnet.", GERMAN, 1),
        ("Die Pflanze bindet z.B. im Blatt das Gas aus der Luft. Das Wasser kommt aus der Wurzel.", GERMAN, 2),
    ],
)
def test_a_full_stop_ends_a_sentence_unless_it_belongs_to_a_word(text: str, language: Language, count: int) -> None:
    assert len(found(text, language)) == count


def test_a_glossary_entry_becomes_a_sentence() -> None:
    [sentence] = found("- **Stroma**: the fluid that fills the chloroplast\n")
    assert sentence.text == "Stroma is the fluid that fills the chloroplast."
    assert sentence.said == "Stroma: the fluid that fills the chloroplast"


@pytest.mark.parametrize("label", ["Note", "Key idea", "Thylakoids", "Warning"])
def test_a_label_before_a_colon_is_no_glossary_entry(label: str) -> None:
    assert found(f"{label}: the fluid that fills the chloroplast of the leaf.") == []


def test_reading_can_be_given_up() -> None:
    class EnoughError(Exception):
        pass

    def stop() -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        list(standing_alone(GOOD, ENGLISH, stop))
