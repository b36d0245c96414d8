"""Which topics stand."""

from jobs.providers.base import TopicDraft
from jobs.topic_checks import TOPICS_MAX, settled

TEXT = "Leaves turn light into sugar. Roots take up water. Bark keeps the trunk from drying out."


def names(*drafts: tuple[str, str], text: str = TEXT) -> list[str]:
    return [topic.name for topic in settled([TopicDraft(name=name, quote=quote) for name, quote in drafts], text)]


def test_topics_come_in_the_order_of_the_text_with_the_words_that_stand_there() -> None:
    drafts = [
        TopicDraft(name="Bark", quote="bark  keeps the trunk from drying out"),
        TopicDraft(name="Leaves", quote="Leaves turn light into sugar."),
    ]
    found = settled(drafts, TEXT)
    assert [(topic.name, topic.quote) for topic in found] == [
        ("Leaves", "Leaves turn light into sugar."),
        ("Bark", "Bark keeps the trunk from drying out"),
    ]
    assert all(TEXT[topic.start : topic.end] == topic.quote for topic in found)


def test_what_the_text_does_not_say_is_no_topic() -> None:
    assert names(("Flowers", "Flowers attract insects."), ("Roots", "Roots take up water.")) == ["Roots"]


def test_the_same_in_other_words_or_at_the_same_place_is_one_topic() -> None:
    assert names(
        ("Uptake of water", "Roots take up water."),
        ("Water, uptake of", "Bark keeps the trunk"),
        ("Roots", "Roots take up water."),
    ) == ["Uptake of water"]


def test_of_more_than_twelve_the_first_ones_given_are_kept() -> None:
    words = [
        "Ash",
        "Birch",
        "Cedar",
        "Elm",
        "Fir",
        "Ginkgo",
        "Hazel",
        "Ivy",
        "Juniper",
        "Kapok",
        "Larch",
        "Maple",
        "Oak",
    ]
    text = " ".join(f"The {word} stands in the park number {number}." for number, word in enumerate(words))
    drafts = [(word, f"The {word} stands") for word in reversed(words)]
    assert names(*drafts, text=text) == words[-TOPICS_MAX:]
