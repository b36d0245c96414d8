"""The topics that a module has without a model, and how questions take turns between them."""

from collections import Counter

import pytest

from jobs import extraction
from jobs.offline.analysis import Analysis
from jobs.offline.generator import Wish, drafts
from jobs.offline.german import GERMAN
from jobs.offline.topics import topics_of
from jobs.spreading import topic_at
from jobs.topic_checks import TOPICS_MAX, settled
from schemas.questions import Draft
from schemas.states import QuestionType
from schemas.topics import Topic
from tests.jobs.offline.conftest import FIXTURES
from tests.jobs.offline.reading import analysed, never


def found_in(analysis: Analysis, name: str = "") -> tuple[Topic, ...]:
    return settled(topics_of(analysis, name), analysis.text)


def names_in(analysis: Analysis, name: str = "") -> list[str]:
    return [topic.name for topic in found_in(analysis, name)]


def wanted(analysis: Analysis, topics: tuple[Topic, ...], kind: QuestionType) -> list[Draft]:
    return list(drafts(analysis, Wish(kind, topics=topics), never))


def topic_of(draft: Draft, analysis: Analysis, topics: tuple[Topic, ...]) -> str:
    return topic_at(sorted(topics, key=lambda topic: topic.start), analysis.text.index(draft.quote)).name


def test_a_chapter_has_its_headings_but_not_its_title(photosynthesis: Analysis) -> None:
    assert names_in(photosynthesis, "Photosynthesis: how light becomes sugar") == [
        "What photosynthesis achieves",
        "The leaf and the chloroplast",
        "Pigments and the capture of light",
        "The light-dependent reactions",
        "Chemiosmosis and the making of ATP",
        "The Calvin cycle",
        "Photorespiration and its remedies",
        "Limiting factors and measurement",
        "A short history of discovery",
        "Evolution and global importance",
    ]


def test_a_section_without_headings_has_the_terms_of_its_parts() -> None:
    found = extraction.extract("a.md", (FIXTURES / "photosynthesis.md").read_bytes())
    section = next(part for part in found if part.name == "The Calvin cycle")
    assert names_in(analysed(section.text), section.name) == [
        "Calvin cycle",
        "Glyceraldehyde-3-phosphate",
        "RuBisCO",
        "RuBisCO activase",
    ]
    german = extraction.extract("a.md", (FIXTURES / "rechnernetze.md").read_bytes())[0]
    assert names_in(analysed(german.text, GERMAN), german.name) == ["Rechnernetz", "Paketvermittlung", "OSI-Modell"]


def test_every_topic_stands_where_it_says_and_names_what_is_there(photosynthesis: Analysis) -> None:
    section = analysed(photosynthesis.text[: photosynthesis.text.index("## Pigments")].replace("#", ""))
    for topic in found_in(section):
        assert section.text[topic.start : topic.end] == topic.quote
        assert topic.name.casefold() in section.text.casefold()


def test_a_long_text_without_headings_has_twelve_topics_at_most_from_all_of_it(photosynthesis: Analysis) -> None:
    prose = "\n".join(line for line in photosynthesis.text.splitlines() if not line.startswith("#"))
    found = found_in(analysed(prose))
    assert 8 <= len(found) <= TOPICS_MAX
    assert found[0].start < len(prose) / 8
    assert found[-1].start > len(prose) * 3 / 4


@pytest.mark.parametrize("text", ["", "No sentence here", "Do it now. Go away! Why?"])
def test_a_text_without_statements_has_no_topics(text: str) -> None:
    assert topics_of(analysed(text), "Module") == []


@pytest.mark.parametrize("kind", [QuestionType.FILL_IN_BLANK, QuestionType.TRUE_FALSE, QuestionType.MULTIPLE_CHOICE])
def test_the_first_questions_go_round_the_topics(photosynthesis: Analysis, kind: QuestionType) -> None:
    topics = found_in(photosynthesis)
    first = wanted(photosynthesis, topics, kind)[: 2 * len(topics)]
    counts = Counter(topic_of(draft, photosynthesis, topics) for draft in first)
    assert len(counts) == len(topics)
    assert max(counts.values()) <= 4
    assert topic_of(first[0], photosynthesis, topics) == topics[0].name


def test_topics_change_the_order_of_questions_and_take_none_away(photosynthesis: Analysis) -> None:
    topics = found_in(photosynthesis)
    spread = wanted(photosynthesis, topics, QuestionType.FLASHCARD)
    plain = wanted(photosynthesis, (), QuestionType.FLASHCARD)
    assert spread != plain
    assert {draft.quote for draft in spread} == {draft.quote for draft in plain}


def test_the_topics_of_another_batch_come_after_ones_own(photosynthesis: Analysis) -> None:
    everything = found_in(photosynthesis)
    own = everything[1::2]
    wish = Wish(QuestionType.FILL_IN_BLANK, topics=own, other_topics=everything[::2])
    asked = [topic_of(draft, photosynthesis, everything) for draft in drafts(photosynthesis, wish, never)]
    belongs = [name in {topic.name for topic in own} for name in asked]
    assert asked[:5] == [topic.name for topic in own]
    assert belongs == sorted(belongs, reverse=True)
    assert len(asked) == len(wanted(photosynthesis, everything, QuestionType.FILL_IN_BLANK))
