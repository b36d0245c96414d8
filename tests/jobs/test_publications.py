"""The job that publishes: every question is in Canvas once, whatever happens; what goes wrong is said in words."""

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from jobs import publications
from jobs.canvas import delivery
from jobs.workshop import Workshop
from schemas.publications import Publication, WantedPublication
from schemas.states import FailureReason, PublicationState, QuizStatus
from service.store import publications as publication_rows
from service.store import tables
from service.store.database import seconds_from_now
from tests import published
from tests.canvas_api import TOKEN, Call, CanvasApi, Fault
from tests.published import COURSE, SAID
from tests.scripted import ScriptedProvider
from tests.workbench import Workbench, eventually


@pytest.fixture
async def canvas() -> AsyncIterator[CanvasApi]:
    async with CanvasApi() as canvas:
        yield canvas


@pytest.fixture
async def quiz_id(bench: Workbench) -> UUID:
    return await published.make_quiz(bench.database)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Canvas is asked again at once: the pauses between tries are not what is tested here."""
    monkeypatch.setattr(random, "random", lambda: 0.0)


async def order(bench: Workbench, canvas: CanvasApi, quiz_id: UUID, *, token: str = TOKEN) -> UUID:
    publication_id = await published.order(bench.database, quiz_id, canvas.url)
    await bench.workshop(ScriptedProvider()).canvas_tokens.keep(publication_id, token)
    return publication_id


async def wanted(bench: Workbench) -> WantedPublication:
    async with bench.database.read() as tx:
        [one] = await publication_rows.wanted(tx, limit=10)
    return one


async def run(bench: Workbench, workshop: Workshop | None = None) -> None:
    """The job as arq would run it, for what the outbox holds."""
    one = await wanted(bench)
    worker = workshop or bench.workshop(ScriptedProvider())
    await publications.publish_quiz({"workshop": worker, "job_id": "1"}, str(one.publication_id), one.fence)


async def publication(bench: Workbench, quiz_id: UUID) -> Publication:
    found = (await published.load(bench.database, quiz_id)).publication
    assert found is not None, "it was ordered"
    return found


async def lease_runs_out(bench: Workbench) -> None:
    async with bench.database.write() as tx:
        gone = {"lease_until": seconds_from_now(-1), "wanted_at": seconds_from_now(-1)}
        await tx.execute(sa.update(tables.publications).values(**gone))


async def test_every_question_that_canvas_can_ask_is_there_and_students_see_it(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    await order(bench, canvas, quiz_id)
    assert (await published.load(bench.database, quiz_id)).status is QuizStatus.EXPORTING_TO_CANVAS
    await run(bench)
    quiz = await published.load(bench.database, quiz_id)
    assert (quiz.status, quiz.failure_reason) == (QuizStatus.PUBLISHED, None)
    assert published.types_in(canvas.quiz) == SAID
    assert canvas.quiz.fields == {
        "title": "Plants",
        "description": "",
        "published": True,
        "quiz_type": "assignment",
        "notify_of_update": False,
    }
    found = await publication(bench, quiz_id)
    assert (found.sent_count, found.question_count, found.error) == (7, 7, None)
    assert found.canvas_quiz_url == f"{canvas.url}/courses/{COURSE}/quizzes/{canvas.quiz.id}"
    assert {left_out.reason for left_out in found.left_out} == {"Canvas quizzes have no cards to learn from"}
    assert len(found.left_out) == 2


async def test_answers_and_keys_arrive_as_canvas_reads_them(bench: Workbench, canvas: CanvasApi, quiz_id: UUID) -> None:
    await order(bench, canvas, quiz_id)
    await run(bench)
    choice, responses, truth, gap, short, matching, numeric = canvas.quiz.questions
    assert [(answer["answer_text"], answer["answer_weight"]) for answer in choice["answers"]] == [
        ("Gras, grün", "0"),
        ("Sky", "100"),
        ("Snow", "0"),
    ]
    assert [answer["answer_weight"] for answer in responses["answers"]] == ["100", "0", "100"]
    assert [(answer["answer_text"], answer["answer_weight"]) for answer in truth["answers"]] == [
        ("True", "0"),
        ("False", "100"),
    ]
    assert truth["question_text"] == '<p>It is "so".</p>'
    assert [answer["answer_text"] for answer in gap["answers"]] == ["water", "H2O"]
    assert short["question_text"] == "<p>What do<br>roots take up?</p>"
    assert [(pair["answer_match_left"], pair["answer_match_right"]) for pair in matching["answers"]] == [
        ("sky", "blue"),
        ("snow", "white"),
        ("Gras", "grün"),
    ]
    assert matching["matching_answer_incorrect_matches"] == "red"
    assert numeric["answers"] == [
        {"numerical_answer_type": "exact_answer", "answer_exact": "-2.5", "answer_error_margin": "0.25"}
    ]
    assert {question["neutral_comments"] for question in canvas.quiz.questions} == {"The first sentence says so."}


async def test_run_twice_it_publishes_once(bench: Workbench, canvas: CanvasApi, quiz_id: UUID) -> None:
    await order(bench, canvas, quiz_id)
    one = await wanted(bench)
    workshops = [bench.workshop(ScriptedProvider(), f"worker-{number}") for number in range(3)]
    arguments = (str(one.publication_id), one.fence)
    await asyncio.gather(
        *(publications.publish_quiz({"workshop": workshop, "job_id": "1"}, *arguments) for workshop in workshops)
    )
    assert published.types_in(canvas.quiz) == SAID


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.INVALID_TOKEN, "Canvas does not accept the token: it is wrong, has expired or was revoked"),
        (
            Fault.NOT_ALLOWED,
            "the token's owner may not make quizzes in this course (401): user not authorized to perform that action",
        ),
        (
            Fault.FORBIDDEN,
            "the token's owner may not make quizzes in this course (403): no, ***, this is restricted",
        ),
        (Fault.MISSING, "there is no such course in Canvas, or the token's owner does not see it (404)"),
        (Fault.REFUSED, "Canvas refuses (422): is too long"),
        (Fault.NO_JSON, "what answers there does not speak Canvas' language: is the address right?"),
        (Fault.OTHER_JSON, "what answers there does not speak Canvas' language: is the address right?"),
        (Fault.MOVED, "Canvas sends to another address: give the one it has now, such as https://HOST"),
        (Fault.THROTTLED, "Canvas asks for fewer calls (rate limit)"),
        (Fault.BROKEN, "Canvas has an error of its own (500)"),
    ],
)
async def test_what_canvas_refuses_is_said_in_words_and_the_quiz_is_what_it_was(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, fault: Fault, words: str
) -> None:
    canvas.fail(fault, "POST")
    await order(bench, canvas, quiz_id)
    with capture_logs() as logged:
        await run(bench)
    quiz = await published.load(bench.database, quiz_id)
    assert (quiz.status, quiz.failure_reason) == (QuizStatus.READY_FOR_REVIEW, FailureReason.CANVAS_ERROR)
    found = await publication(bench, quiz_id)
    assert (found.status, found.error) == (PublicationState.FAILED, words)
    assert TOKEN not in str(logged)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.THROTTLED, Fault.BROKEN, Fault.LOST])
@pytest.mark.parametrize(
    ("method", "ending"),
    [("GET", "/quizzes"), ("POST", "/quizzes"), ("GET", "/questions"), ("POST", "/questions"), ("PUT", "")],
)
async def test_what_may_pass_is_tried_again_and_nothing_is_there_twice(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, fault: Fault, method: str, ending: str
) -> None:
    canvas.fail(fault, method, ending, times=2)
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED
    assert published.types_in(canvas.quiz) == SAID
    assert canvas.quiz.fields["published"]


async def test_a_call_that_gets_no_answer_is_cut_and_the_next_one_finds_what_it_did(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CALL_SECONDS_MAX", 0.2)  # two minutes are too long for a test
    canvas.fail(Fault.STALLED, "POST", "/questions", times=1, skip=3)
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED
    assert published.types_in(canvas.quiz) == SAID


async def test_a_canvas_that_never_answers_is_given_up(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CALL_SECONDS_MAX", 0.05)  # as above
    canvas.fail(Fault.STALLED, "GET")
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "Canvas did not answer in time"
    assert len(canvas.calls) == delivery.FAILURES_MAX


async def test_a_canvas_that_is_not_there_is_said(bench: Workbench, quiz_id: UUID) -> None:
    async with CanvasApi() as gone:
        await order(bench, gone, quiz_id)
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "Canvas can't be reached (ConnectionError)"


async def test_without_its_token_it_ends_and_says_so(bench: Workbench, canvas: CanvasApi, quiz_id: UUID) -> None:
    await published.order(bench.database, quiz_id, canvas.url)
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "the token is not kept any longer: publish again"
    assert canvas.calls == []


@pytest.mark.parametrize("token", [TOKEN, "wrong"])
async def test_the_token_is_gone_when_it_has_ended(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, token: str
) -> None:
    await order(bench, canvas, quiz_id, token=token)
    assert await bench.redis.keys("*token*") != []
    await run(bench)
    assert (await publication(bench, quiz_id)).ended_at is not None
    assert await bench.redis.keys("*token*") == []


async def test_a_redis_that_is_away_delays_it(bench: Workbench, canvas: CanvasApi, quiz_id: UUID) -> None:
    await order(bench, canvas, quiz_id)
    bench.redis_server.connected = False
    await run(bench)
    bench.redis_server.connected = True
    assert (await publication(bench, quiz_id)).status is PublicationState.EXPORTING
    assert canvas.calls == []
    await lease_runs_out(bench)
    await run(bench)
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED


async def test_a_worker_that_stops_gives_it_back_and_the_next_one_goes_on(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    canvas.fail(Fault.STALLED, "POST", "/questions", times=1, skip=2)
    await order(bench, canvas, quiz_id)
    first = bench.workshop(ScriptedProvider(), "worker-1")
    running = asyncio.create_task(run(bench, first))
    await eventually(lambda: len(canvas.calls) == 6)
    await first.stop(grace_seconds=0)
    await running
    assert (await publication(bench, quiz_id)).sent_count == 2
    await run(bench, bench.workshop(ScriptedProvider(), "worker-2"))
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED
    assert published.types_in(canvas.quiz) == SAID


@pytest.mark.parametrize("frozen", [1, 3], ids=["quiz", "question"])
async def test_a_worker_whose_lease_was_lost_asks_canvas_nothing_more(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID, frozen: int
) -> None:
    """It was frozen in the middle of a call; what that call made late is found and taken out again."""
    asked, going_on = asyncio.Event(), asyncio.Event()

    async def freeze(call: Call) -> None:
        if call.number == frozen:
            asked.set()
            await going_on.wait()

    canvas.before = freeze
    await order(bench, canvas, quiz_id)
    first = asyncio.create_task(run(bench, bench.workshop(ScriptedProvider(), "worker-1")))
    await asked.wait()
    await lease_runs_out(bench)
    second = asyncio.create_task(run(bench, bench.workshop(ScriptedProvider(), "worker-2")))
    await eventually(lambda: bool(canvas.quizzes) and len(canvas.quiz.questions) == 5)
    going_on.set()
    await asyncio.gather(first, second)
    assert sorted(published.types_in(canvas.quiz)) == sorted(SAID)
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED


async def test_a_publication_after_a_failed_one_goes_on_with_its_quiz(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    canvas.fail(Fault.INVALID_TOKEN, "POST", "/questions", skip=3)
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert (await publication(bench, quiz_id)).sent_count == 3
    canvas.heal()
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert published.types_in(canvas.quiz) == SAID
    assert (await publication(bench, quiz_id)).status is PublicationState.PUBLISHED


async def test_what_was_changed_meanwhile_is_sent_anew_and_what_others_added_stays(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    canvas.fail(Fault.REFUSED, "PUT")
    await order(bench, canvas, quiz_id)
    await run(bench)
    canvas.put_question(canvas.quiz, question_name="By hand", question_type="essay_question")
    async with bench.database.write() as tx:
        changed = sa.update(tables.questions).where(tables.questions.c.question_type == "numeric")
        await tx.execute(changed.values(version=2, content={"stem": "New?", "answer": 1, "tolerance": 0}))
    canvas.heal()
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert published.types_in(canvas.quiz) == [*SAID[:-1], "essay", "numerical"]
    assert canvas.quiz.questions[-1]["question_text"] == "<p>New?</p>"


async def test_a_publication_after_a_published_one_makes_a_new_quiz(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    for _ in range(2):
        await order(bench, canvas, quiz_id)
        await run(bench)
    assert [published.types_in(quiz) for quiz in canvas.quizzes.values()] == [SAID, SAID]


async def test_a_quiz_that_was_deleted_in_canvas_is_made_again(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    canvas.fail(Fault.REFUSED, "POST", "/questions", skip=2)
    await order(bench, canvas, quiz_id)
    await run(bench)
    canvas.heal()
    canvas.quizzes.clear()
    await order(bench, canvas, quiz_id)
    await run(bench)
    assert published.types_in(canvas.quiz) == SAID


async def test_what_takes_its_workers_down_is_not_tried_for_ever(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    publication_id = await order(bench, canvas, quiz_id)
    for fence in range(publications.TRIES_MAX):
        async with bench.database.write() as tx:
            assert await publication_rows.claim(tx, publication_id, fence, lease_seconds=-1)
        await lease_runs_out(bench)
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "it took its worker down 5 times"


async def test_questions_that_are_gone_or_can_not_be_asked_any_more_are_said(
    bench: Workbench, canvas: CanvasApi, quiz_id: UUID
) -> None:
    await order(bench, canvas, quiz_id)
    async with bench.database.write() as tx:
        changed = sa.update(tables.questions).where(tables.questions.c.question_type == "short_answer")
        await tx.execute(changed.values(content={"stem": "x" * 20_000, "answers": ["y"]}))
    await run(bench)
    assert (await publication(bench, quiz_id)).error == (
        "a question was changed, and Canvas takes at most 16384 characters in a text: publish again"
    )
    await order(bench, canvas, quiz_id)
    async with bench.database.write() as tx:
        await tx.execute(sa.delete(tables.questions).where(tables.questions.c.question_type == "numeric"))
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "1 of its questions are not there any more: publish again"


async def test_a_fault_of_ours_ends_it_too(bench: Workbench, canvas: CanvasApi, quiz_id: UUID) -> None:
    await order(bench, canvas, quiz_id)
    async with bench.database.write() as tx:
        damaged = sa.update(tables.questions).where(tables.questions.c.question_type == "numeric")
        await tx.execute(damaged.values(content={}))
    await run(bench)
    assert (await publication(bench, quiz_id)).error == "internal error: ValidationError"
