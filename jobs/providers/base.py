"""What a provider of questions and topics is: it is asked, and yields drafts one by one, each when it is complete.

ProviderError                 batch error code          transient   outage: may be the same for every call
|-- ProviderOverloaded        provider_overloaded       yes         yes
|-- ProviderRateLimited       provider_rate_limited     yes         (retry_after_seconds, told)
|-- ProviderUnavailable       provider_unavailable      yes         yes
|-- ProviderTimeout           timeout                   yes         yes
|-- CallTooLong               timeout                   yes
|-- AnswerMalformed           malformed_answer          yes
|-- WaitedTooLong             that of the reason        no
|-- ProviderRejected          provider_rejected         no
`-- SourceExhausted           source_exhausted          no
"""

from collections.abc import AsyncGenerator, Callable
from typing import ClassVar, Protocol
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.base import Frozen
from schemas.questions import Draft
from schemas.states import Difficulty, ErrorCode, QuestionType
from schemas.topics import Topic
from service.errors import QuizmillError


class ProviderError(QuizmillError):
    """A call that gave no (more) drafts, with the reason in words a user can act on."""

    code: ErrorCode = ErrorCode.INTERNAL
    is_transient: ClassVar[bool] = False
    is_outage: ClassVar[bool] = False

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, told: "RateLimits | None" = None
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.told = told


class ProviderOverloaded(ProviderError):
    code = ErrorCode.PROVIDER_OVERLOADED
    is_transient = True
    is_outage = True


class ProviderRateLimited(ProviderError):
    code = ErrorCode.PROVIDER_RATE_LIMITED
    is_transient = True


class ProviderUnavailable(ProviderError):
    code = ErrorCode.PROVIDER_UNAVAILABLE
    is_transient = True
    is_outage = True


class ProviderTimeout(ProviderError):
    """The provider was silent."""

    code = ErrorCode.TIMEOUT
    is_transient = True
    is_outage = True


class CallTooLong(ProviderError):
    """The provider answered, but not in the time that a call may take."""

    code = ErrorCode.TIMEOUT
    is_transient = True


class AnswerMalformed(ProviderError):
    code = ErrorCode.MALFORMED_ANSWER
    is_transient = True


class ProviderRejected(ProviderError):
    code = ErrorCode.PROVIDER_REJECTED


class SourceExhausted(ProviderError):
    code = ErrorCode.SOURCE_EXHAUSTED


class WaitedTooLong(ProviderError):
    """The provider answered nobody for as long as a batch may wait: another attempt would only wait again."""

    def __init__(self, reason: str, code: ErrorCode, *, seconds: float) -> None:
        super().__init__(f"{reason} (waited for up to {seconds:g} seconds)")
        self.code = code


class Source(Frozen):
    """The module that questions are asked about."""

    module_id: UUID
    name: str
    text: str
    language: str = Field(description="BCP 47 code, e.g. en")


class Usage(Frozen):
    """What a call cost. A metered provider yields one at the end of each call that reached it, also before an error.

    `input_tokens` are all but those found in the cache; `cache_write_tokens` of them were written into it.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = Field(default=None, description="null where the price is unknown")


class Meter:
    """What one call has used so far, for whoever cuts it: a call that is closed or cancelled yields no Usage."""

    def __init__(self) -> None:
        self._read: Callable[[], Usage] | None = None

    def attach(self, read: Callable[[], Usage]) -> None:
        """To be called by a metered provider when the call begins."""
        self._read = read

    def usage(self) -> Usage | None:
        """None: the call has not reached the provider, or costs nothing."""
        return self._read() if self._read else None


class Request(Frozen):
    """One call: `count` questions of one type about one module.

    `avoid` holds stems (with their keys) that are already used in the quiz; `corrections` says what was wrong with
    the questions of the call before, in the validator's words. `lanes` batches ask about the same module and type at
    the same time; `lane` (from 0) says which of them this is, so that each can begin elsewhere in the text.
    `topics`, where the module has any: those that this call is to spread its questions over, in this order;
    `other_topics` are for other calls, and for this one when its own yield too little. `meter` is this call's own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    source: Source
    question_type: QuestionType
    difficulty: Difficulty | None
    count: int
    avoid: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    instructions: str = ""
    lane: int = 0
    lanes: int = 1
    topics: tuple[Topic, ...] = ()
    other_topics: tuple[Topic, ...] = ()
    model: str | None = None
    meter: Meter = Field(default_factory=Meter, repr=False)


class TopicsRequest(Frozen):
    """One call: what is this module about?"""

    source: Source
    model: str | None = None


class PictureRequest(Frozen):
    """One call: what stands on this picture (JPEG) of a page? `source` is its file, without a text."""

    source: Source
    content: bytes = Field(repr=False)
    model: str | None = None


class PictureText(Frozen):
    """A piece of what stands on a picture, as Markdown."""

    text: str


class TopicDraft(Frozen):
    """A topic as a provider names it; `quote` stands where the module begins with it, if the provider is right."""

    name: str
    quote: str


class Unreadable(Frozen):
    """Something that stood where a question should: `message` is the validator's, fit for a correction."""

    message: str


class Allowance(Frozen):
    """One rate limit as the provider tells it: how much a minute, and how much was left when it let the call in."""

    limit: int
    remaining: int


class RateLimits(Frozen):
    """What the headers of an answer say; None where they say nothing. A metered call yields it first."""

    requests: Allowance | None = None
    input_tokens: Allowance | None = None
    output_tokens: Allowance | None = None


class Weight(Frozen):
    """What a call is expected to take of each rate limit."""

    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0


Part = Draft | Unreadable | RateLimits | Usage
"""What a call yields."""

TopicPart = TopicDraft | Unreadable | RateLimits | Usage
"""What a call for topics yields."""


PicturePart = PictureText | Unreadable | RateLimits | Usage
"""What a call for the text of a picture yields."""


class Eyes(Protocol):
    """A model that can look at pictures."""

    def look(self, request: PictureRequest) -> AsyncGenerator[PicturePart]: ...


class Provider(Protocol):
    """A source of questions. `ask` may yield more drafts than asked for; whoever has enough closes it.

    `topics` yields the best first; which of them stand is decided in jobs/topic_checks.py. `is_metered`: every call
    costs something and ends with its Usage, which is worth waiting for. Calls of one `account` share its rate limits.
    `eyes`: None where pictures can't be looked at.
    """

    name: str
    account: str
    is_metered: bool

    @property
    def eyes(self) -> Eyes | None: ...

    def ask(self, request: Request) -> AsyncGenerator[Part]: ...

    def weigh(self, source: Source, count: int) -> Weight: ...

    def topics(self, request: TopicsRequest) -> AsyncGenerator[TopicPart]: ...

    async def close(self) -> None: ...
