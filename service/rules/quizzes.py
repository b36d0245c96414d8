"""The status of a quiz, from what happened to its materials, generations and publications."""

from collections.abc import Sequence

from schemas.base import Frozen
from schemas.states import ErrorCode, FailureReason, GenerationState, PublicationState, QuizStatus

ACTIVE = frozenset({GenerationState.PENDING, GenerationState.PROCESSING, GenerationState.PAUSED})


# The provider has answered, and the material gave no more.
NOTHING_TO_ASK = frozenset({ErrorCode.SOURCE_EXHAUSTED, ErrorCode.TOO_FEW_VALID, ErrorCode.DUPLICATE_QUESTIONS})


class Orders(Frozen):
    """The state of every order of a quiz, and why batches of them have failed."""

    states: tuple[GenerationState, ...] = ()
    failed_with: frozenset[ErrorCode] = frozenset()


class Published(Frozen):
    """What became of a quiz's publications: the newest one's state, and what the last published one left behind.

    `published_count`: how many saved questions the quiz had when it was ordered; None: none was published.
    """

    newest: PublicationState | None = None
    published_count: int | None = None


NEVER_PUBLISHED = Published()


def status(
    *,
    is_extracting: bool,
    failure_reason: FailureReason | None,
    has_modules: bool,
    orders: Orders,
    saved: int,
    publications: Published = NEVER_PUBLISHED,
) -> tuple[QuizStatus, FailureReason | None]:
    """The quiz's status and why it failed. `saved` counts saved questions."""
    if is_extracting:
        return QuizStatus.EXTRACTING_CONTENT, None
    if failure_reason and not has_modules:
        return QuizStatus.FAILED, failure_reason
    if publications.newest is PublicationState.EXPORTING:
        return QuizStatus.EXPORTING_TO_CANVAS, None
    found, reason = _after_orders(orders, saved, publications.published_count)
    if publications.newest is PublicationState.FAILED and reason is None:
        return found, FailureReason.CANVAS_ERROR
    return found, reason


def _after_orders(orders: Orders, saved: int, published_count: int | None) -> tuple[QuizStatus, FailureReason | None]:
    if any(state in ACTIVE for state in orders.states):
        return QuizStatus.GENERATING_QUESTIONS, None
    if saved:
        return _with_questions(orders.states, saved, published_count), None
    if GenerationState.FAILED in orders.states:
        is_exhausted = bool(orders.failed_with) and orders.failed_with <= NOTHING_TO_ASK
        reason = FailureReason.NO_QUESTIONS_GENERATED if is_exhausted else FailureReason.LLM_GENERATION_ERROR
        return QuizStatus.FAILED, reason
    return QuizStatus.CREATED, None


def _with_questions(generations: Sequence[GenerationState], saved: int, published_count: int | None) -> QuizStatus:
    """Questions that were saved since it was published want a review."""
    if published_count is not None and saved <= published_count:
        return QuizStatus.PUBLISHED
    is_whole = all(state is GenerationState.COMPLETED for state in generations)
    return QuizStatus.READY_FOR_REVIEW if is_whole else QuizStatus.READY_FOR_REVIEW_PARTIAL
