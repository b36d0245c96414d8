"""The local server itself: what it answers has to be good enough for the tests and demos that stand on it."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from anthropic import AsyncAnthropic

from jobs import checks
from jobs.prompts import prompt
from jobs.providers.answer_schema import parse
from jobs.providers.base import Request, Source, Unreadable
from schemas.questions import (
    Draft,
    Fingerprint,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    SoundQuestion,
    TrueFalse,
    Vocabulary,
    preview_of,
)
from schemas.states import QuestionType
from tests.messages_answer import question_texts
from tests.messages_api import Fault, MessagesApi
from tests.messages_faults import rule_of

LECTURE = (Path(__file__).parent / "fixtures" / "photosynthesis.md").read_text(encoding="utf-8")
SECONDS_MAX = 20


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    async with MessagesApi() as running:
        yield running


@pytest.fixture
async def client(api: MessagesApi) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key="k", base_url=api.base_url, max_retries=0) as made:
        yield made


async def call(client: AsyncAnthropic, question_type: QuestionType, count: int, *avoid: str) -> str:
    """An answer that is not streamed."""
    source = Source(module_id=uuid4(), name="Plants", text=LECTURE, language="en")
    request = Request(source=source, question_type=question_type, difficulty=None, count=count, avoid=avoid)
    written = prompt.for_request(request)
    message = await client.messages.create(
        model="m",
        max_tokens=100,
        system=f"{written.frame}\n{written.module}",
        messages=[{"role": "user", "content": written.task}],
    )
    assert message.content[0].type == "text"
    return message.content[0].text


def drafts_of(api: MessagesApi, question_type: QuestionType) -> list[Draft]:
    parsed = [parse(question_type, raw) for asked in api.requests for raw in question_texts(asked)]
    assert not [part for part in parsed if isinstance(part, Unreadable)]
    return [part for part in parsed if isinstance(part, Draft)]


@pytest.mark.parametrize("question_type", QuestionType)
async def test_the_questions_of_several_calls_are_different_and_quote_the_module(
    api: MessagesApi, client: AsyncAnthropic, question_type: QuestionType
) -> None:
    for _ in range(3):
        await call(client, question_type, 20)
    drafts = drafts_of(api, question_type)
    assert len({draft.content for draft in drafts}) == 60
    assert all(draft.quote in LECTURE for draft in drafts)


@pytest.mark.parametrize("question_type", QuestionType)
async def test_the_answer_does_not_stand_in_the_question(  # noqa: C901 - one arm a question type
    api: MessagesApi, client: AsyncAnthropic, question_type: QuestionType
) -> None:
    await call(client, question_type, 30)
    for draft in drafts_of(api, question_type):
        match draft.content:
            case TrueFalse() as statement:
                assert (statement.stem.rstrip(".") in " ".join(draft.quote.split())) is statement.answer
            case Flashcard() as card:
                assert card.back.casefold() not in card.front.casefold()
            case Vocabulary() as word:
                assert word.term.casefold() not in word.definition.casefold()
                assert word.term in word.example
            case MultipleChoice() as choice:
                assert choice.options[choice.answer].casefold() not in choice.stem.casefold()
            case MultipleResponse() as response:
                keys = {response.options[index].casefold() for index in response.answers}
                assert len(keys) == 2
                assert keys.isdisjoint(words(response.stem.casefold().removeprefix("complete this")))
            case Matching() as matching:
                assert all(f"{pair.left} {pair.right}" in " ".join(words(draft.quote)) for pair in matching.pairs)
            case Numeric() as number:
                assert number.answer == sum(map(str.isalpha, draft.quote))
            case gap:
                assert gap.answers[0].casefold() not in gap.stem.casefold()


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text)


@pytest.mark.parametrize("question_type", QuestionType)
async def test_every_question_passes_the_checks(
    api: MessagesApi, client: AsyncAnthropic, question_type: QuestionType
) -> None:
    await call(client, question_type, 40)
    source = Source(module_id=uuid4(), name="Plants", text=LECTURE, language="en")
    taken: list[Fingerprint] = []
    for draft in drafts_of(api, question_type):
        verdict = checks.judge(draft, source, taken)
        assert isinstance(verdict, SoundQuestion), verdict
        taken.append(verdict.fingerprint)
    assert len(taken) == 40


async def test_what_is_to_be_avoided_is_not_asked(api: MessagesApi, client: AsyncAnthropic) -> None:
    await call(client, QuestionType.FILL_IN_BLANK, 5)
    known = {preview_of(draft.content) for draft in drafts_of(api, QuestionType.FILL_IN_BLANK)}
    async with MessagesApi() as fresh, AsyncAnthropic(api_key="k", base_url=fresh.base_url) as other:
        await call(other, QuestionType.FILL_IN_BLANK, 5, *known)
        again = {preview_of(draft.content) for draft in drafts_of(fresh, QuestionType.FILL_IN_BLANK)}
    assert len(again) == 5
    assert not known & again


async def test_the_same_calls_get_the_same_answers(client: AsyncAnthropic) -> None:
    async with MessagesApi() as fresh, AsyncAnthropic(api_key="k", base_url=fresh.base_url) as other:
        for _ in range(2):
            assert await call(client, QuestionType.MULTIPLE_CHOICE, 5) == await call(
                other, QuestionType.MULTIPLE_CHOICE, 5
            )


async def test_a_fault_hits_the_calls_it_is_meant_for(api: MessagesApi, client: AsyncAnthropic) -> None:
    api.fail("Plants", Fault.NO_QUESTIONS, times=2, skip=1)
    api.fail("Animals", Fault.PROSE)
    answers = [await call(client, QuestionType.TRUE_FALSE, 1) for _ in range(4)]
    assert [asked.fault for asked in api.requests] == [None, "no_questions", "no_questions", None]
    assert [answer == '{"questions": []}' for answer in answers] == [False, True, True, False]


async def test_spoiled_questions_are_spoiled_as_told(api: MessagesApi, client: AsyncAnthropic) -> None:
    api.fail("Plants", Fault.DUPLICATES, times=1)
    api.fail("Plants", Fault.BAD_EVIDENCE, times=1)
    for _ in range(2):
        await call(client, QuestionType.FLASHCARD, 3)
    drafts = drafts_of(api, QuestionType.FLASHCARD)
    assert len({draft.content for draft in drafts[:3]}) == 1
    assert not any(draft.quote in LECTURE for draft in drafts[3:])


async def test_a_short_text_yields_what_it_can(api: MessagesApi, client: AsyncAnthropic) -> None:
    source = Source(module_id=uuid4(), name="Short", text="Nothing here.", language="en")
    request = Request(source=source, question_type=QuestionType.FLASHCARD, difficulty=None, count=5)
    written = prompt.for_request(request)
    await client.messages.create(
        model="m", max_tokens=9, system=written.module, messages=[{"role": "user", "content": written.task}]
    )
    assert api.requests[0].questions == []


def test_a_fault_can_be_named_on_the_command_line() -> None:
    rule = rule_of("Advanced Topics:overloaded:3")
    assert (rule.module, rule.fault, rule.times) == ("Advanced Topics", Fault.OVERLOADED, 3)
    assert rule_of("Advanced:reset").times is None
    assert rule_of("Unit 1: Cells:reset:2").module == "Unit 1: Cells"


async def test_it_runs_as_a_program_and_ends_when_told() -> None:
    command = (sys.executable, "-m", "tests.messages_api", "--fail", "Plants:no_questions", "--delay-seconds", "0.01")
    root = Path(__file__).parent.parent
    program = await asyncio.create_subprocess_exec(*command, cwd=root, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(SECONDS_MAX):
        assert program.stdout is not None
        base_url = (await program.stdout.readline()).decode().split()[-1]
        async with AsyncAnthropic(api_key="k", base_url=base_url) as client:
            assert await call(client, QuestionType.FLASHCARD, 2) == '{"questions": []}'
        assert b'"module": "Plants"' in await program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        assert await program.wait() == 0
