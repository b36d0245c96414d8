"""Which of the topics that a provider names stand: in the module's text, distinct, few. Pure."""

from collections.abc import Iterable

from rapidfuzz import fuzz

from jobs import evidence
from jobs.providers.base import TopicDraft
from schemas.topics import Topic

TOPICS_MAX = 12
SIMILARITY_MAX = 85
"""Names that are more alike than this, whatever the order of their words, mean the same."""


def settled(drafts: Iterable[TopicDraft], text: str) -> tuple[Topic, ...]:
    """Up to twelve, the first ones given, in the order of the text. What it does not say is left out."""
    kept: list[Topic] = []
    for draft in drafts:
        topic = _located(draft, text)
        if topic and not any(_are_one(topic, other) for other in kept):
            kept.append(topic)
    return tuple(sorted(kept[:TOPICS_MAX], key=lambda topic: topic.start))


def are_alike(name: str, other: str) -> bool:
    return fuzz.token_sort_ratio(name.casefold(), other.casefold()) > SIMILARITY_MAX


def _located(draft: TopicDraft, text: str) -> Topic | None:
    span = evidence.locate(draft.quote, text)
    if span is None:
        return None
    return Topic(name=draft.name, quote=text[span.start : span.end], start=span.start, end=span.end)


def _are_one(topic: Topic, other: Topic) -> bool:
    return topic.start == other.start or are_alike(topic.name, other.name)
