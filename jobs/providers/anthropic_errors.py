"""What the Anthropic SDK and the HTTP library below it raise, in our words and without keys or prompts.

by error type or HTTP status                        becomes
overloaded_error, 529                               ProviderOverloaded
rate_limit_error, 429                               ProviderRateLimited; ProviderRejected at a spend limit
timeout_error, 408, 504, silence                    ProviderTimeout
a call too long                                     CallTooLong
api_error, 5xx, 409, connection, broken stream      ProviderUnavailable
400, 401, 402, 403, 404, 413 and the like           ProviderRejected
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import aiohttp
import anthropic
import httpx2
from aiohttp.http_exceptions import HttpProcessingError

from jobs.providers import rate_limits
from jobs.providers.base import (
    CallTooLong,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from jobs.providers.patience import Silence
from schemas.base import Frozen

WORDS_CHARACTERS_MAX = 300
ECHO_CHARACTERS = 20

_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{6,}|(?<=[Bb]earer )\S+")
_STATUS_OF_TYPE = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "api_error": 500,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
}


class CallFacts(Frozen):
    """What an error message may name, and what it must not show."""

    model: str
    module_name: str
    call_seconds: float
    silence_seconds: float
    api_key: str
    prompt: str


@contextmanager
def in_our_words(facts: CallFacts) -> Iterator[None]:
    """Raise ProviderError for whatever the SDK raises inside.

    Nothing is chained (`from None`): the SDK's own texts quote the request, and tracebacks end up in logs.
    """
    try:
        yield
    except anthropic.APIStatusError as error:
        raise _by_status(error, facts) from None
    except TimeoutError:
        raise CallTooLong(
            f"The call took longer than {facts.call_seconds:g} s (QUIZMILL_LLM_TIMEOUT_SECONDS)."
        ) from None
    except Silence as silence:
        raise ProviderTimeout(f"The provider was silent for {silence.seconds:.1f} s.") from None
    # In a running stream the SDK lets the errors of httpx2 through as they are, so both families are named.
    except (anthropic.APITimeoutError, httpx2.TimeoutException):
        raise ProviderTimeout(f"The provider was silent for {facts.silence_seconds:g} s.") from None
    # And aiohttp's, where the SDK's adapter knows no error of httpx2 for them.
    except (
        anthropic.APIError,
        httpx2.RequestError,
        httpx2.StreamError,
        aiohttp.ClientError,
        HttpProcessingError,
    ) as error:
        raise ProviderUnavailable(f"The connection to the provider failed ({_cause(error)}).") from None


def midway(data: bytes, response: httpx2.Response, facts: CallFacts) -> ProviderError:
    """What an error event in the middle of a stream means."""
    body: object = None
    with suppress(ValueError, RecursionError):
        body = json.loads(data.decode())
    return _by_status(anthropic.APIStatusError("", response=response, body=body), facts)


def _by_status(error: anthropic.APIStatusError, facts: CallFacts) -> ProviderError:
    status = error.status_code
    if not error.response.is_client_error:
        # An error event in the middle of a stream has the status of the stream, 200: its type says what it is.
        status = _STATUS_OF_TYPE.get(str(error.type), status)
    wait = rate_limits.retry_after_seconds(error.response.headers)
    match status:
        case 529:
            return ProviderOverloaded("The provider is overloaded.", retry_after_seconds=wait)
        case 429 if "spend_limit" in (error.error_code or ""):
            return ProviderRejected(
                "The provider's spend limit is reached, and waiting does not help: raise it in the provider's console."
            )
        case 429:
            told = rate_limits.told_by(error.response.headers)
            return ProviderRateLimited("The provider's rate limit is reached.", retry_after_seconds=wait, told=told)
        case 408 | 504:
            return ProviderTimeout("The provider gave up because the call took too long.")
        case status if status == 409 or status >= 500 or status < 400:
            where = f"({status})" if error.response.is_error else "in the middle of its answer"
            return ProviderUnavailable(f"The provider failed {where}.", retry_after_seconds=wait)
        case _:
            return ProviderRejected(_refusal(status, facts) + _provider_words(error, facts))


def _refusal(status: int, facts: CallFacts) -> str:
    match status:
        case 401:
            return "The provider does not accept the API key: check ANTHROPIC_API_KEY."
        case 402:
            return "The provider asks for payment: check the credit of the account."
        case 403:
            return f"The API key may not use the model {facts.model}: check its permissions in the provider's console."
        case 404:
            return f"The provider does not know the model {facts.model}: check QUIZMILL_MODEL and ANTHROPIC_BASE_URL."
        case 413:
            return f'The module "{facts.module_name}" is too long for the provider: split it into shorter ones.'
        case _:
            return f"The provider refused the call ({status})."


def _provider_words(error: anthropic.APIStatusError, facts: CallFacts) -> str:
    """The provider's own message, if it is safe to show."""
    if not isinstance(error.api_message, str) or not error.api_message.strip():
        return ""
    words = error.api_message.replace(facts.api_key, "[key]") if facts.api_key else error.api_message
    words = _KEY.sub("[key]", " ".join(words.split()))[:WORDS_CHARACTERS_MAX]
    return "" if _repeats(words, facts.prompt) else f" It says: {words}"


def _repeats(words: str, prompt: str) -> bool:
    starts = range(0, len(words) - ECHO_CHARACTERS + 1, ECHO_CHARACTERS)
    return any(words[start : start + ECHO_CHARACTERS] in prompt for start in starts)


def _cause(error: Exception) -> str:
    return type(error.__cause__ or error).__name__
