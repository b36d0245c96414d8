"""The parts of `quizmill generate` that need no service of their own."""

from pathlib import Path
from uuid import UUID

import pytest

from schemas.materials import MaterialReport
from schemas.orders import Order
from schemas.quizzes import Extraction
from schemas.states import Difficulty, FailureReason, MaterialState, QuestionType, QuizStatus
from service.cli import generate, lock
from service.cli.client import Client
from service.cli.generate import GenerateFailed
from service.errors import Invalid
from service.settings import Settings
from tests.web import samples

CHOICE, CARD = QuestionType.MULTIPLE_CHOICE, QuestionType.FLASHCARD
FIRST, SECOND, THIRD = UUID(int=11), UUID(int=12), UUID(int=13)
NOWHERE = "http://127.0.0.1:9"


def planned(
    count: int, *characters: int, types: tuple[QuestionType, ...] = (CHOICE,), size_max: int = 50
) -> list[tuple[UUID, QuestionType, int]]:
    parts = tuple(
        samples.module(module_id, characters=length)
        for module_id, length in zip((FIRST, SECOND, THIRD), characters, strict=False)
    )
    order: Order = generate.plan(samples.quiz(modules=parts), types, count, Difficulty.HARD, size_max)
    assert order.batches is not None
    assert {batch.difficulty for batch in order.batches} == {Difficulty.HARD}
    return [(batch.module_id, batch.question_type, batch.target_count) for batch in order.batches]


def test_questions_are_spread_over_the_modules_by_their_length() -> None:
    assert planned(10, 3000, 1000, 1000) == [(FIRST, CHOICE, 6), (SECOND, CHOICE, 2), (THIRD, CHOICE, 2)]


def test_the_count_is_per_type_and_kept_exactly() -> None:
    plan = planned(7, 100, 100, 100, types=(CHOICE, CARD))
    for question_type in (CHOICE, CARD):
        assert sum(count for _, kind, count in plan if kind is question_type) == 7


def test_a_module_too_short_for_a_question_of_its_own_gets_none() -> None:
    assert planned(2, 10_000, 10_000, 1) == [(FIRST, CHOICE, 1), (SECOND, CHOICE, 1)]


def test_more_than_a_batch_holds_becomes_several_batches_with_keys_of_their_own() -> None:
    plan = planned(120, 1000)
    assert sum(count for *_, count in plan) == 120
    assert all(count <= 50 for *_, count in plan)
    assert len({count for *_, count in plan}) == len(plan)


def test_more_than_all_batches_can_hold_is_refused() -> None:
    with pytest.raises(Invalid, match="count"):
        planned(1000, 1000, size_max=5)


class Reported(Client):
    """A client of a service that says no more than this of a quiz's files."""

    def __init__(self, *messages: str | None) -> None:
        super().__init__(NOWHERE)
        self._reports = tuple(
            MaterialReport(
                id=FIRST,
                name="a.pdf",
                status=MaterialState.FAILED if message else MaterialState.EXTRACTED,
                message=message,
                page=0,
                pages=0,
                llm_calls=0,
                cost_usd=0,
            )
            for message in messages
        )

    def materials(self, quiz_id: UUID) -> tuple[MaterialReport, ...]:
        assert quiz_id == samples.quiz().id
        return self._reports


def test_a_quiz_that_is_read_is_used_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    quiz = samples.quiz()
    assert generate.extracted(Reported(None), quiz) is quiz
    assert capsys.readouterr().err == ""


def test_what_was_left_out_of_files_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    generate.extracted(Reported(None, "page 2 is a picture without text and left out"), samples.quiz())
    assert capsys.readouterr().err == "Left out: page 2 is a picture without text and left out\n"


def test_files_without_text_are_told_with_the_reason() -> None:
    quiz = samples.quiz(QuizStatus.FAILED, modules=(), failure=FailureReason.EXTRACTION_FAILED)
    with pytest.raises(GenerateFailed, match=r"gave no text to ask about: a\.pdf can't be read"):
        generate.extracted(Reported("a.pdf can't be read: it is password-protected"), quiz)
    with pytest.raises(GenerateFailed, match="gave no text to ask about: extraction_failed"):
        generate.extracted(Reported(), quiz)


def test_modules_that_are_left_out_get_no_questions() -> None:
    contents = samples.module(SECOND).model_copy(update={"is_left_out": True})
    order = generate.plan(samples.quiz(modules=(samples.module(FIRST), contents)), [CHOICE], 4, None, 50)
    assert [batch.module_id for batch in order.batches or ()] == [FIRST]


def test_files_are_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten minutes are too long for a test.
    monkeypatch.setattr(generate, "EXTRACTION_SECONDS_MAX", -1.0)
    waiting = Extraction(file="a.md", page=0, pages=1)
    quiz = samples.quiz(QuizStatus.EXTRACTING_CONTENT, modules=(), extraction=waiting)
    with pytest.raises(GenerateFailed, match="were not read within"):
        generate.extracted(Client(NOWHERE), quiz)


def test_a_service_that_is_named_or_works_here_is_used(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with generate.service(settings, "http://elsewhere.example") as address:
        assert address == "http://elsewhere.example"
    with lock.held(tmp_path) as file:
        lock.publish(file, NOWHERE)
        with generate.service(settings, None) as address:
            assert address == NOWHERE


def test_a_service_that_does_not_start_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    monkeypatch.setenv("QUIZMILL_LEASE_SECONDS", "none")
    with (
        pytest.raises(GenerateFailed, match=r"quizmill did not start: see .*generate\.log"),
        generate.service(settings, None),
    ):
        raise AssertionError("there is no service")
    assert "QUIZMILL_LEASE_SECONDS='none' is not allowed" in (tmp_path / "generate.log").read_text()
