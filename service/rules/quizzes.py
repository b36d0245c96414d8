"""The status of a quiz, from what happened to its materials and generations."""

from collections.abc import Sequence

from schemas.states import FailureReason, GenerationState, QuizStatus

ACTIVE = frozenset({GenerationState.PENDING, GenerationState.PROCESSING, GenerationState.PAUSED})


def status(
    *,
    is_extracting: bool,
    failure_reason: FailureReason | None,
    has_modules: bool,
    generations: Sequence[GenerationState],
    saved: int,
) -> tuple[QuizStatus, FailureReason | None]:
    """The quiz's status and why it failed. `saved` counts saved questions; `generations` holds every order's state."""
    if is_extracting:
        return QuizStatus.EXTRACTING_CONTENT, None
    if failure_reason and not has_modules:
        return QuizStatus.FAILED, failure_reason
    return _after_orders(generations, saved)


def _after_orders(generations: Sequence[GenerationState], saved: int) -> tuple[QuizStatus, FailureReason | None]:
    if any(state in ACTIVE for state in generations):
        return QuizStatus.GENERATING_QUESTIONS, None
    if saved:
        is_whole = all(state is GenerationState.COMPLETED for state in generations)
        return (QuizStatus.READY_FOR_REVIEW if is_whole else QuizStatus.READY_FOR_REVIEW_PARTIAL), None
    if GenerationState.FAILED in generations:
        return QuizStatus.FAILED, FailureReason.LLM_GENERATION_ERROR
    return QuizStatus.CREATED, None
