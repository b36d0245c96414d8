import json

import aiohttp
import anthropic
import httpx2
import pytest
from aiohttp.http_exceptions import TransferEncodingError

from jobs.providers.anthropic_errors import CallFacts, in_our_words, midway
from jobs.providers.base import (
    CallTooLong,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

REQUEST = httpx2.Request("POST", "http://api.test/v1/messages")
FACTS = CallFacts(
    model="claude-x",
    module_name="Heat",
    call_seconds=120,
    silence_seconds=30,
    api_key="my-own-key",
    prompt="The secret lecture about the boiling of water at high altitude.",
)


def translated(error: Exception) -> ProviderError:
    with pytest.raises(ProviderError) as caught, in_our_words(FACTS):
        raise error
    return caught.value


def status_error(
    status: int,
    kind: str | None = None,
    *,
    words: str = "",
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> anthropic.APIStatusError:
    body = {"type": "error", "error": {"type": kind, "message": words, "details": {"error_code": code}}}
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return anthropic.APIStatusError("the whole body", response=response, body=body)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (529, "overloaded_error", ProviderOverloaded),
        (529, None, ProviderOverloaded),
        (503, "overloaded_error", ProviderOverloaded),
        (200, "overloaded_error", ProviderOverloaded),
        (429, "rate_limit_error", ProviderRateLimited),
        (200, "rate_limit_error", ProviderRateLimited),
        (500, "api_error", ProviderUnavailable),
        (502, None, ProviderUnavailable),
        (409, "conflict_error", ProviderUnavailable),
        (200, "api_error", ProviderUnavailable),
        (200, "brand_new_error", ProviderUnavailable),
        (504, "timeout_error", ProviderTimeout),
        (408, None, ProviderTimeout),
        (200, "timeout_error", ProviderTimeout),
        (400, "invalid_request_error", ProviderRejected),
        (401, "authentication_error", ProviderRejected),
        (402, "billing_error", ProviderRejected),
        (403, "permission_error", ProviderRejected),
        (404, "not_found_error", ProviderRejected),
        (413, "request_too_large", ProviderRejected),
        (200, "invalid_request_error", ProviderRejected),
    ],
)
def test_type_and_status_say_what_a_refusal_is(status: int, kind: str | None, expected: type[ProviderError]) -> None:
    assert type(translated(status_error(status, kind))) is expected


@pytest.mark.parametrize(
    "code",
    ["enforced_spend_limit_reached", "contract_spend_limit_reached", "linked_organization_spend_limit_reached"],
)
def test_a_spend_limit_is_no_rate_limit(code: str) -> None:
    error = translated(status_error(429, "rate_limit_error", code=code, headers={"retry-after": "5"}))
    assert type(error) is ProviderRejected
    assert "spend limit" in str(error)
    assert error.retry_after_seconds is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "4294967"}, 600.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert translated(status_error(429, headers=headers)).retry_after_seconds == seconds
    assert translated(status_error(529, headers=headers)).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "ANTHROPIC_API_KEY"), (403, "claude-x"), (404, "QUIZMILL_MODEL"), (413, '"Heat"'), (402, "credit")],
)
def test_a_refusal_says_what_to_do(status: int, words: str) -> None:
    assert words in str(translated(status_error(status)))


def test_the_providers_own_words_are_passed_on() -> None:
    error = translated(status_error(400, words="prompt is too long: 208310 tokens > 200000 maximum"))
    assert str(error).endswith("It says: prompt is too long: 208310 tokens > 200000 maximum")


def test_keys_are_taken_out_of_the_providers_words() -> None:
    words = "invalid key sk-ant-api03-AbC_123-xyz, my-own-key or Bearer abcdefgh123"
    message = str(translated(status_error(401, words=words)))
    assert "invalid key [key], [key] or Bearer [key]" in message


def test_words_that_repeat_the_prompt_are_left_out() -> None:
    words = "messages.0: can't read 'The secret lecture about the boiling of water at high altitude.'"
    message = str(translated(status_error(400, words=words)))
    assert "It says" not in message
    assert "boiling" not in message


def test_long_words_are_cut() -> None:
    assert len(str(translated(status_error(400, words="long " * 1000)))) < 400


def test_nothing_of_the_original_error_is_shown_in_a_traceback() -> None:
    error = translated(status_error(400, words="x"))
    assert error.__suppress_context__
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (TimeoutError(), CallTooLong, "longer than 120 s"),
        (anthropic.APITimeoutError(REQUEST), ProviderTimeout, "silent for 30 s"),
        (httpx2.ReadTimeout("x"), ProviderTimeout, "silent for 30 s"),
        (anthropic.APIConnectionError(request=REQUEST), ProviderUnavailable, "APIConnectionError"),
        (httpx2.ReadError("x"), ProviderUnavailable, "ReadError"),
        (httpx2.RemoteProtocolError("x"), ProviderUnavailable, "RemoteProtocolError"),
        (httpx2.StreamClosed(), ProviderUnavailable, "StreamClosed"),
        (aiohttp.ClientError("x"), ProviderUnavailable, "ClientError"),
        (TransferEncodingError("x"), ProviderUnavailable, "TransferEncodingError"),
    ],
)
def test_errors_of_the_connection_are_told_apart(raised: Exception, expected: type[ProviderError], words: str) -> None:
    error = translated(raised)
    assert type(error) is expected
    assert words in str(error)


def told_midway(data: bytes, headers: dict[str, str] | None = None) -> ProviderError:
    return midway(data, httpx2.Response(200, headers=headers, request=REQUEST), FACTS)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", ProviderOverloaded),
        ("rate_limit_error", ProviderRateLimited),
        ("timeout_error", ProviderTimeout),
        ("api_error", ProviderUnavailable),
        ("brand_new_error", ProviderUnavailable),
        ("invalid_request_error", ProviderRejected),
        (None, ProviderUnavailable),
    ],
)
def test_the_type_of_an_error_event_says_what_it_is(kind: str | None, expected: type[ProviderError]) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "sk-ant-secret1 failed"}}
    error = told_midway(json.dumps(body).encode(), {"retry-after": "3"})
    assert type(error) is expected
    assert "secret1" not in str(error)
    assert error.retry_after_seconds == (None if expected in {ProviderRejected, ProviderTimeout} else 3)


@pytest.mark.parametrize(
    "data", [b"", b"upstream failed", b"\xff", b"[1]", b'"x"', b'{"error": "x"}', b'{"error": {"ty']
)
def test_an_error_event_in_any_other_form_is_a_failure_midway(data: bytes) -> None:
    error = told_midway(data)
    assert type(error) is ProviderUnavailable
    assert str(error) == "The provider failed in the middle of its answer."


def test_our_own_mistakes_pass_through() -> None:
    with pytest.raises(KeyError), in_our_words(FACTS):
        raise KeyError("x")
