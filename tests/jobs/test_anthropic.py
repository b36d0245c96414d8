"""The provider against a local server that speaks the Messages API, through the real SDK."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from jobs.providers import anthropic, topics_schema
from jobs.providers.anthropic import AnthropicProvider
from jobs.providers.base import (
    AnswerMalformed,
    CallTooLong,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimits,
    Request,
    Source,
    TopicDraft,
    TopicsRequest,
    Unreadable,
    Usage,
)
from schemas.questions import CONTENT_OF, Draft, preview_of
from schemas.states import Difficulty, QuestionType
from service.errors import SettingsInvalid
from tests.messages_api import Fault, MessagesApi

TEXT = """
Photosynthesis turns light energy into chemical energy inside the chloroplasts of green plants.
Chlorophyll absorbs mostly red and blue light, while green light is largely reflected by leaves.
During the light reactions, water molecules are split and oxygen escapes through small pores.
The Calvin cycle fixes carbon dioxide with the enzyme rubisco and builds sugar phosphates.
Stomata open in the morning and close during drought to keep the plant from losing moisture.
Roots take up nitrate and phosphate from the soil together with most of the water they need.
Xylem vessels carry water upwards, whereas phloem tubes distribute sugars to growing tissues.
Mitochondria release the energy stored in glucose by respiration at every hour of the day.
"""


def request_for(count: int = 4, **changes: object) -> Request:
    source = Source(module_id=uuid4(), name="Green Plants", text=TEXT, language="en")
    request = Request(source=source, question_type=QuestionType.FILL_IN_BLANK, difficulty=None, count=count)
    return request.model_copy(update=changes)


@dataclass
class Answers:
    """What one `ask` gave."""

    drafts: list[Draft] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    error: ProviderError | None = None


async def answers_of(provider: AnthropicProvider, request: Request) -> Answers:
    answers = Answers()
    try:
        async with aclosing(provider.ask(request)) as streamed:
            async for answer in streamed:
                match answer:
                    case Draft():
                        answers.drafts.append(answer)
                    case Unreadable():
                        answers.unreadable.append(answer)
                    case Usage():
                        answers.usages.append(answer)
    except ProviderError as error:
        answers.error = error
    return answers


def provider_for(
    base_url: str, *, model: str = "claude-sonnet-5-5", call_seconds: float = 10, silence_seconds: float = 5
) -> AnthropicProvider:
    return AnthropicProvider(
        api_key="sk-ant-test-key",
        base_url=base_url,
        model=model,
        llm_timeout_seconds=call_seconds,
        silence_seconds=silence_seconds,
    )


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    async with MessagesApi() as running:
        yield running


@pytest.fixture
async def provider(api: MessagesApi) -> AsyncIterator[AnthropicProvider]:
    made = provider_for(api.base_url)
    yield made
    await made.close()


@pytest.mark.parametrize("question_type", QuestionType)
async def test_each_type_comes_back_as_drafts_with_real_quotes(
    provider: AnthropicProvider, question_type: QuestionType
) -> None:
    answers = await answers_of(provider, request_for(question_type=question_type))
    assert answers.error is None
    assert [type(draft.content) for draft in answers.drafts] == [CONTENT_OF[question_type]] * 4
    assert all(draft.quote in TEXT for draft in answers.drafts)
    assert len({preview_of(draft.content) for draft in answers.drafts}) == 4


async def test_topics_come_back_with_what_they_cost(api: MessagesApi, provider: AnthropicProvider) -> None:
    parts = [
        part async for part in provider.topics(TopicsRequest(source=request_for().source, model="claude-opus-5-5"))
    ]
    assert [type(part) for part in parts] == [RateLimits, *[TopicDraft] * 4, Usage]
    assert all(" ".join(part.quote.split()) in " ".join(TEXT.split()) for part in parts if isinstance(part, TopicDraft))
    assert isinstance(parts[-1], Usage)
    assert (parts[-1].model, parts[-1].output_tokens > 0) == ("claude-opus-5-5", True)
    [asked] = api.requests
    format_asked = asked.body["output_config"]
    assert isinstance(format_asked, dict)
    topic = format_asked["format"]["schema"]["properties"]["topics"]["items"]
    assert topic == {"$ref": "#/$defs/TopicAnswer"} or list(topic["properties"]) == ["quote", "name"]


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.PROSE, AnswerMalformed, "The answer holds no topic object."),
        (Fault.REFUSAL, ProviderRejected, "refused to write topics about the module"),
        (Fault.OVERLOADED, ProviderOverloaded, "overloaded"),
        (Fault.UNAUTHORIZED, ProviderRejected, "check ANTHROPIC_API_KEY"),
    ],
)
async def test_topics_fail_like_questions_and_cost_all_the_same(
    api: MessagesApi, provider: AnthropicProvider, fault: Fault, error: type[ProviderError], words: str
) -> None:
    api.fail("Green Plants", fault)
    parts = provider.topics(TopicsRequest(source=request_for().source))
    last = None
    try:
        async for part in parts:
            last = part
    except ProviderError as failure:
        raised = failure
    assert type(raised) is error
    assert words in str(raised)
    assert isinstance(last, Usage)


async def test_what_is_no_topic_is_told_and_the_others_are_kept() -> None:
    assert topics_schema.parse('{"quote": "a", "name": "Two\\nlines", "more": 1}') == TopicDraft(
        name="Two lines", quote="a"
    )
    assert topics_schema.parse('{"name": "b"}') == Unreadable(message="quote: Field required")
    assert topics_schema.parse('["name"]') == Unreadable(message="topic: Input should be an object")
    assert isinstance(topics_schema.parse('{"quote": "a", "name": "a\\u0000b"}'), Unreadable)


async def test_a_draft_arrives_while_the_server_still_withholds_the_rest(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    api.hold(after_questions=2)
    async with aclosing(provider.ask(request_for())) as answers:
        assert isinstance(await anext(answers), RateLimits)
        assert isinstance(await anext(answers), Draft)
        assert isinstance(await anext(answers), Draft)
        await api.held()
        third = asyncio.create_task(anext(answers))
        assert api.requests[0].questions_sent == 2
        assert not third.done()
        api.release()
        assert isinstance(await third, Draft)


@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        (Fault.OVERLOADED, ProviderOverloaded, "overloaded"),
        (Fault.RATE_LIMITED, ProviderRateLimited, "rate limit"),
        (Fault.SPEND_LIMIT, ProviderRejected, "spend limit"),
        (Fault.SERVER_ERROR, ProviderUnavailable, "500"),
        (Fault.BAD_REQUEST, ProviderRejected, "max_tokens"),
        (Fault.UNAUTHORIZED, ProviderRejected, "ANTHROPIC_API_KEY"),
        (Fault.FORBIDDEN, ProviderRejected, "claude-sonnet-5-5"),
        (Fault.UNKNOWN_MODEL, ProviderRejected, "QUIZMILL_MODEL"),
        (Fault.TOO_LARGE, ProviderRejected, "Green Plants"),
        (Fault.RESET, ProviderUnavailable, "connection"),
        (Fault.PROSE, AnswerMalformed, "no question"),
        (Fault.NO_QUESTIONS, AnswerMalformed, "no question"),
    ],
)
async def test_a_call_that_brings_nothing_says_why_and_is_made_only_once(
    api: MessagesApi, provider: AnthropicProvider, fault: Fault, expected: type[ProviderError], words: str
) -> None:
    api.fail("Plants", fault)
    answers = await answers_of(provider, request_for())
    assert type(answers.error) is expected
    assert words in str(answers.error)
    assert answers.drafts == []
    assert len(answers.usages) == 1
    assert [asked.sdk_retries for asked in api.requests] == [0]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.OVERLOADED_MIDWAY, ProviderOverloaded),
        (Fault.CUT_MIDWAY, ProviderUnavailable),
        (Fault.ENDED_EARLY, ProviderUnavailable),
        (Fault.GARBLED, ProviderUnavailable),
        (Fault.MALFORMED, AnswerMalformed),
        (Fault.REFUSAL, ProviderRejected),
        (Fault.CUT_OFF, None),
        (Fault.TOO_FEW, None),
    ],
)
async def test_a_call_that_breaks_keeps_what_was_complete(
    api: MessagesApi, provider: AnthropicProvider, fault: Fault, expected: type[ProviderError] | None
) -> None:
    api.fail("Plants", fault, after=2)
    answers = await answers_of(provider, request_for())
    assert [type(draft) for draft in answers.drafts] == [Draft, Draft]
    assert type(answers.error) is (expected or type(None))
    assert len(answers.usages) == 1
    assert answers.usages[0].input_tokens > 0
    assert answers.usages[0].output_tokens > 50


@pytest.mark.parametrize(("fault", "expected"), [(Fault.CUT_OFF, AnswerMalformed), (Fault.REFUSAL, ProviderRejected)])
async def test_an_answer_that_ends_before_its_first_question_is_an_error(
    api: MessagesApi, provider: AnthropicProvider, fault: Fault, expected: type[ProviderError]
) -> None:
    api.fail("Plants", fault, after=0)
    answers = await answers_of(provider, request_for())
    assert type(answers.error) is expected


async def test_a_question_of_the_wrong_form_is_reported_and_the_others_are_kept(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    api.fail("Plants", Fault.WRONG_SCHEMA, after=1)
    answers = await answers_of(provider, request_for())
    assert answers.unreadable == [Unreadable(message="quote: Field required")]
    assert len(answers.drafts) == 3
    assert answers.error is None


async def test_a_rate_limit_says_how_long_to_wait(api: MessagesApi, provider: AnthropicProvider) -> None:
    api.fail("Plants", Fault.RATE_LIMITED).seconds = 7
    answers = await answers_of(provider, request_for())
    assert answers.error is not None
    assert answers.error.retry_after_seconds == 7


async def test_no_key_and_no_prompt_gets_into_an_error(api: MessagesApi, provider: AnthropicProvider) -> None:
    api.fail("Plants", Fault.BAD_REQUEST, times=1).message = "bad sk-ant-test-key sent"
    api.fail("Plants", Fault.BAD_REQUEST, times=1).message = f"cannot read: {TEXT}"
    assert "bad [key] sent" in str((await answers_of(provider, request_for())).error)
    assert str((await answers_of(provider, request_for())).error) == "The provider refused the call (400)."


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.STALL_MIDWAY])
async def test_a_silent_provider_is_cut_off(api: MessagesApi, fault: Fault) -> None:
    provider = provider_for(api.base_url, silence_seconds=0.2)
    api.fail("Plants", fault, after=2)
    answers = await answers_of(provider, request_for())
    assert type(answers.error) is ProviderTimeout
    assert "silent for 0.2 s" in str(answers.error)
    assert len(answers.drafts) == (2 if fault is Fault.STALL_MIDWAY else 0)
    assert len(answers.usages) == 1
    await api.disconnected()
    await provider.close()


async def test_pings_are_life_but_the_whole_call_has_its_bound(api: MessagesApi) -> None:
    provider = provider_for(api.base_url, silence_seconds=0.2, call_seconds=0.5)
    api.fail("Plants", Fault.ONLY_PINGS, after=1)
    answers = await answers_of(provider, request_for())
    assert type(answers.error) is CallTooLong
    assert "longer than 0.5 s" in str(answers.error)
    assert len(answers.drafts) == 1
    await api.disconnected()
    await provider.close()


async def test_a_provider_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    provider = provider_for(f"http://127.0.0.1:{port}")
    answers = await answers_of(provider, request_for())
    assert type(answers.error) is ProviderUnavailable
    await provider.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n17\r\nevent: ping\ndata: {}\n\n\n\r\n"


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[str]:
    """A server that sends these bytes, whatever they are, each once the client had time to read, and then hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length, "the SDK says how long its request is"
        await reader.readexactly(int(length[1]))
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                # Nobody but the client's socket knows when it has read a piece.
                await asyncio.sleep(0.05)
            writer.close()
            await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    async with asyncio.timeout(5):
        await ended.wait()


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"SSH-2.0-OpenSSH\r\n\r\n"],
        [HEAD],
        [HEAD + b"content-length: 500\r\n\r\nevent: ping\n"],
        [HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"],
        [CHUNKED + b"zz\r\nhello"],
        [CHUNKED],
        [CHUNKED, b"20\r\nhel"],
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
        [b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{"],
        [b"HTTP/1.1 307 Moved\r\nlocation: ftp://elsewhere/\r\ncontent-length: 0\r\n\r\n"],
    ],
)
async def test_whatever_a_connection_brings_instead_of_an_answer_the_provider_is_unavailable(
    pieces: list[bytes],
) -> None:
    async with answering(*pieces) as base_url:
        provider = provider_for(base_url)
        answers = await answers_of(provider, request_for())
        assert type(answers.error) is ProviderUnavailable
        assert len(answers.usages) == 1
        await provider.close()


async def test_garbled_lengths_in_the_middle_of_an_answer_do_not_hold_a_call_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It is part of how long is waited, and nobody has to connect here.
    monkeypatch.setattr(anthropic, "CONNECT_SECONDS", 0.2)
    async with answering(CHUNKED, b"zz\r\nhello") as base_url:
        provider = provider_for(base_url, silence_seconds=0.2)
        answers = await answers_of(provider, request_for())
        assert type(answers.error) in {ProviderTimeout, ProviderUnavailable}
        await provider.close()


async def test_cancelling_closes_the_connection_at_once(api: MessagesApi, provider: AnthropicProvider) -> None:
    api.hold(after_questions=1)
    asking = asyncio.create_task(answers_of(provider, request_for()))
    await api.held()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await api.disconnected()


async def test_cancelling_before_the_first_byte_closes_the_connection_too(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    api.hold()
    asking = asyncio.create_task(answers_of(provider, request_for()))
    await api.held()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await api.disconnected()


async def test_whoever_has_enough_closes_the_connection(api: MessagesApi, provider: AnthropicProvider) -> None:
    api.hold(after_questions=2)
    async with aclosing(provider.ask(request_for())) as answers:
        assert isinstance(await anext(answers), RateLimits)
        assert isinstance(await anext(answers), Draft)
    await api.disconnected()


async def test_everything_that_matters_is_in_the_prompt(api: MessagesApi, provider: AnthropicProvider) -> None:
    source = Source(module_id=uuid4(), name="Grüne Pflanzen", text=TEXT, language="de")
    request = request_for(
        2,
        source=source,
        difficulty=Difficulty.HARD,
        avoid=("Asked already?",),
        corrections=("stem: must not be empty",),
        instructions="Only about leaves.",
    )
    await answers_of(provider, request)
    asked = api.requests[0]
    assert (asked.module, asked.module_text) == ("Grüne Pflanzen", TEXT)
    assert (asked.question_type, asked.count, asked.difficulty) == ("fill_in_blank", 2, "hard")
    assert asked.language == "German (de)"
    assert asked.avoid == ("Asked already?",)
    assert asked.corrections == ("stem: must not be empty",)
    assert asked.instructions == ("Only about leaves.",)


async def test_what_is_the_same_for_a_module_comes_first_and_is_cached(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    first = await answers_of(provider, request_for())
    second = await answers_of(provider, request_for(question_type=QuestionType.FLASHCARD, avoid=("x",)))
    systems = [asked.body["system"] for asked in api.requests]
    assert systems[0] == systems[1]
    assert isinstance(systems[0], list)
    assert [block.get("cache_control") for block in systems[0]] == [None, {"type": "ephemeral"}]
    assert first.usages[0].cache_read_tokens == 0
    assert second.usages[0].cache_read_tokens > 500
    assert second.usages[0].cost_usd < first.usages[0].cost_usd


async def test_the_request_is_streamed_with_the_schema_of_its_type(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    await answers_of(provider, request_for())
    body = json.loads(json.dumps(api.requests[0].body))
    assert body["stream"] is True
    assert body["max_tokens"] == 16_000 + 4 * 1_200
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["type"] == "json_schema"
    questions = body["output_config"]["format"]["schema"]["properties"]["questions"]
    assert "answers" in questions["items"]["properties"]
    assert not {"temperature", "thinking", "tools"} & set(body)


async def test_tokens_and_cost_are_those_of_the_answer(api: MessagesApi, provider: AnthropicProvider) -> None:
    answers = await answers_of(provider, request_for())
    asked = api.requests[0]
    usage = answers.usages[0]
    assert usage.model == "claude-sonnet-5-5"
    prompt_tokens, prefix_tokens = len(asked.prompt) // 4, len(asked.system) // 4
    assert usage.input_tokens == prompt_tokens + prefix_tokens
    assert usage.cost_usd == pytest.approx(
        (prompt_tokens * 2.00 + prefix_tokens * 2.50 + usage.output_tokens * 10.00) / 1_000_000
    )


async def test_the_model_of_the_request_wins(api: MessagesApi, provider: AnthropicProvider) -> None:
    answers = await answers_of(provider, request_for(model="local-model"))
    assert api.requests[0].model == "local-model"
    assert answers.usages[0].model == "local-model"
    assert answers.usages[0].cost_usd is None
    assert answers.usages[0].output_tokens > 0
    config = api.requests[0].body["output_config"]
    assert isinstance(config, dict)
    assert "effort" not in config


async def test_the_meter_of_a_call_that_is_cut_knows_what_it_has_used(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    api.hold(after_questions=2)
    request = request_for()
    assert request.meter.usage() is None
    async with aclosing(provider.ask(request)) as answers:
        assert isinstance(await anext(answers), RateLimits)
        for _ in range(2):
            assert isinstance(await anext(answers), Draft)
    usage = request.meter.usage()
    assert usage is not None
    assert usage.model == "claude-sonnet-5-5"
    assert usage.input_tokens > 100, "known since the answer began"
    assert usage.output_tokens > 50, "reckoned from the text so far"
    assert usage.cost_usd is not None
    assert usage.cost_usd > 0


async def test_a_module_beyond_the_limit_is_refused_without_a_call(
    api: MessagesApi, provider: AnthropicProvider
) -> None:
    source = Source(module_id=uuid4(), name="Endless", text="x" * 600_001, language="en")
    answers = await answers_of(provider, request_for(source=source))
    assert type(answers.error) is ProviderRejected
    assert re.search(r'"Endless" has 600,001 characters.*600,000', str(answers.error))
    assert api.requests == []
    assert answers.usages == []


async def test_a_pasted_key_may_bring_a_line_end_but_no_other_characters(api: MessagesApi) -> None:
    provider = AnthropicProvider(api_key=" key\r\n", base_url=api.base_url, model="m", llm_timeout_seconds=5)
    assert (await answers_of(provider, request_for())).error is None
    await provider.close()
    with pytest.raises(SettingsInvalid, match="ANTHROPIC_API_KEY"):
        AnthropicProvider(api_key="kéy", base_url=api.base_url, model="m", llm_timeout_seconds=5)


async def test_many_calls_run_side_by_side(api: MessagesApi, provider: AnthropicProvider) -> None:
    api.hold()
    asking = [asyncio.create_task(answers_of(provider, request_for(1))) for _ in range(20)]
    await api.held(20)
    api.release()
    answers = await asyncio.gather(*asking)
    assert len({preview_of(draft.content) for each in answers for draft in each.drafts}) == 20
