"""The status of a quiz, from what happened to its materials, generations and publications."""

import pytest

from schemas.states import ErrorCode, FailureReason, GenerationState, PublicationState, QuizStatus
from service.rules import quizzes
from service.rules.quizzes import Orders

COMPLETED, PARTIAL, FAILED = GenerationState.COMPLETED, GenerationState.PARTIAL, GenerationState.FAILED
CANCELLED = GenerationState.CANCELLED


def status(*generations: GenerationState, saved: int = 0) -> QuizStatus:
    found, _ = quizzes.status(
        is_extracting=False, failure_reason=None, has_modules=True, orders=Orders(states=generations), saved=saved
    )
    return found


def test_a_quiz_without_orders_is_created() -> None:
    assert status() is QuizStatus.CREATED


def test_a_quiz_whose_files_are_being_read_is_extracting_whatever_else_happened() -> None:
    found = quizzes.status(
        is_extracting=True,
        failure_reason=FailureReason.EXTRACTION_FAILED,
        has_modules=False,
        orders=Orders(states=(COMPLETED,)),
        saved=5,
    )
    assert found == (QuizStatus.EXTRACTING_CONTENT, None)


def test_a_quiz_whose_files_can_not_be_read_has_failed_and_says_why() -> None:
    found = quizzes.status(
        is_extracting=False,
        failure_reason=FailureReason.EXTRACTION_FAILED,
        has_modules=False,
        orders=Orders(states=()),
        saved=0,
    )
    assert found == (QuizStatus.FAILED, FailureReason.EXTRACTION_FAILED)


@pytest.mark.parametrize("state", [GenerationState.PENDING, GenerationState.PROCESSING, GenerationState.PAUSED])
def test_a_quiz_with_an_unfinished_order_is_generating(state: GenerationState) -> None:
    assert status(COMPLETED, state, saved=3) is QuizStatus.GENERATING_QUESTIONS


def test_a_quiz_is_ready_when_every_order_is_complete() -> None:
    assert status(COMPLETED, COMPLETED, saved=4) is QuizStatus.READY_FOR_REVIEW


@pytest.mark.parametrize("other", [PARTIAL, FAILED, CANCELLED])
def test_a_quiz_with_questions_is_partially_ready_when_any_order_fell_short(other: GenerationState) -> None:
    assert status(COMPLETED, other, saved=4) is QuizStatus.READY_FOR_REVIEW_PARTIAL


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ({ErrorCode.SOURCE_EXHAUSTED, ErrorCode.TOO_FEW_VALID}, FailureReason.NO_QUESTIONS_GENERATED),
        ({ErrorCode.SOURCE_EXHAUSTED, ErrorCode.TIMEOUT}, FailureReason.LLM_GENERATION_ERROR),
    ],
)
def test_it_says_whether_the_material_or_the_model_gave_nothing(codes: set[ErrorCode], reason: FailureReason) -> None:
    orders = Orders(states=(FAILED,), failed_with=frozenset(codes))
    found = quizzes.status(is_extracting=False, failure_reason=None, has_modules=True, orders=orders, saved=0)
    assert found == (QuizStatus.FAILED, reason)


def test_a_quiz_without_a_single_question_after_a_failed_order_has_failed() -> None:
    found = quizzes.status(
        is_extracting=False, failure_reason=None, has_modules=True, orders=Orders(states=(CANCELLED, FAILED)), saved=0
    )
    assert found == (QuizStatus.FAILED, FailureReason.LLM_GENERATION_ERROR)


def test_a_quiz_whose_only_order_was_cancelled_is_as_it_was_created() -> None:
    assert status(CANCELLED) is QuizStatus.CREATED


def published(
    newest: PublicationState | None,
    published_count: int | None = None,
    *,
    saved: int = 5,
    generations: tuple[GenerationState, ...] = (COMPLETED,),
) -> tuple[QuizStatus, FailureReason | None]:
    return quizzes.status(
        is_extracting=False,
        failure_reason=None,
        has_modules=True,
        orders=Orders(states=generations),
        saved=saved,
        publications=quizzes.Published(newest=newest, published_count=published_count),
    )


def test_a_quiz_is_exported_whatever_its_orders_do() -> None:
    exporting = PublicationState.EXPORTING
    assert published(exporting) == (QuizStatus.EXPORTING_TO_CANVAS, None)
    running = (COMPLETED, GenerationState.PROCESSING)
    assert published(exporting, generations=running) == (QuizStatus.EXPORTING_TO_CANVAS, None)


def test_a_quiz_stays_published_until_there_are_more_questions() -> None:
    assert published(PublicationState.PUBLISHED, 5) == (QuizStatus.PUBLISHED, None)
    assert published(PublicationState.PUBLISHED, 4) == (QuizStatus.READY_FOR_REVIEW, None)
    running = (COMPLETED, GenerationState.PROCESSING)
    assert published(PublicationState.PUBLISHED, 5, generations=running) == (QuizStatus.GENERATING_QUESTIONS, None)


@pytest.mark.parametrize(
    ("published_count", "generations", "before"),
    [
        (None, (COMPLETED,), QuizStatus.READY_FOR_REVIEW),
        (None, (PARTIAL,), QuizStatus.READY_FOR_REVIEW_PARTIAL),
        (5, (COMPLETED,), QuizStatus.PUBLISHED),
    ],
)
def test_a_quiz_that_canvas_refused_is_what_it_was_and_says_so(
    published_count: int | None, generations: tuple[GenerationState, ...], before: QuizStatus
) -> None:
    found = published(PublicationState.FAILED, published_count, generations=generations)
    assert found == (before, FailureReason.CANVAS_ERROR)
