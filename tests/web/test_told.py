"""What the entries of a log say in plain words."""

from uuid import UUID

import pytest

from schemas.events import (
    ENDINGS,
    BatchCompleted,
    BatchFailed,
    BatchRequeued,
    BatchRetrying,
    BatchStarted,
    GenerationPaused,
    GenerationResumed,
    GenerationStarted,
    Happening,
    QuestionAccepted,
    QuestionRejected,
)
from schemas.states import ErrorCode, GenerationState, PauseReason, RequeueReason
from tests.web import samples
from web.told import entries
from web.wording import WORDS

BATCH = UUID(int=101)
OVERLOADED = ErrorCode.PROVIDER_OVERLOADED
SENTENCES: list[tuple[Happening, str]] = [
    (GenerationStarted(), "The generation began"),
    (GenerationPaused(), "Paused by hand"),
    (GenerationPaused(reason=PauseReason.COST_CAP), "Paused: its cost limit is reached"),
    (GenerationResumed(), "Resumed"),
    (BatchStarted(batch_id=BATCH, batch_key="k", attempt=2), "Attempt 2 began"),
    (
        QuestionAccepted(batch_id=BATCH, held_count=3, target_count=1200, preview="Why {so}?"),
        "Accepted 3 of 1,200: Why {so}?",
    ),
    (QuestionRejected(batch_id=BATCH, code="near_duplicate", message="asked"), "Rejected: asked (near_duplicate)"),
    (
        BatchRetrying(batch_id=BATCH, code=OVERLOADED, delay_seconds=61.2),
        "Tries again in 1 min 2 s: the provider is overloaded",
    ),
    (
        BatchRetrying(batch_id=BATCH, code=ErrorCode.TOO_FEW_VALID, delay_seconds=0.1),
        "Tries again in 1 s: too few valid",
    ),
    (BatchCompleted(batch_id=BATCH, batch_key="k", saved_count=1, target_count=1), "Saved: 1 question"),
    (
        BatchFailed(batch_id=BATCH, batch_key="k", held_count=5, target_count=20, error=samples.OVERLOADED),
        "Failed: the provider was overloaded for 10 minutes (provider_overloaded). 5 of 20 questions held",
    ),
    (BatchRequeued(batch_id=BATCH, batch_key="k", reason=RequeueReason.RETRY), "Retried: it waits for a worker"),
    (
        BatchRequeued(batch_id=BATCH, batch_key="k", reason=RequeueReason.WORKER_LOST),
        "Waits for a worker again: the one it had stopped or let go",
    ),
    (
        ENDINGS[GenerationState.PARTIAL](generated_count=15, requested_count=35, failed_batches=("k",)),
        "Ended partially: 15 of 35 questions saved",
    ),
]


@pytest.mark.parametrize(("happening", "sentence"), SENTENCES, ids=lambda value: getattr(value, "type", None))
def test_every_event_is_told_in_a_sentence(happening: Happening, sentence: str) -> None:
    [entry] = entries([samples.event(happening, seq=7)], [samples.batch(1)])
    assert (entry.seq, entry.text) == (7, sentence)
    assert entry.of == ("Advanced Topics · Multiple choice" if hasattr(happening, "batch_id") else "")


def test_the_newest_comes_first_and_what_is_not_known_is_passed_over() -> None:
    unknown = samples.event(GenerationResumed(), seq=3)
    unknown = unknown.model_copy(update={"data": unknown.data.replace("generation.resumed", "generation.dreaming")})
    told = [samples.event(GenerationStarted(), seq=1), samples.event(GenerationPaused(), seq=2), unknown]
    assert [entry.seq for entry in entries(told, [])] == [2, 1]


def test_every_event_has_a_filter_that_shows_it() -> None:
    def types(kind: type[Happening]) -> set[str]:
        own = {kind.type} if "type" in vars(kind) else set()
        return own.union(*(types(below) for below in kind.__subclasses__()))

    shown = [name for kind in WORDS.kinds.values() for name in kind.types]
    assert sorted(shown) == sorted(types(Happening))
