"""What the parts of a module are about (CONTRACT 4), and the work of finding that out."""

from uuid import UUID

from pydantic import Field

from schemas.base import Frozen
from schemas.states import ErrorCode


class Topic(Frozen):
    """What a part of a module is about: the part begins where `quote` stands, module.text[start:end] == quote."""

    name: str
    quote: str
    start: int
    end: int


class ModuleTopic(Topic):
    """As users see it."""

    module_id: UUID
    module_name: str


class TopicsUsage(Frozen):
    """Calls, tokens and US dollars; `wasted_calls` brought no topic. The cost of models without a price is 0."""

    llm_calls: int = 0
    wasted_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float = 0.0


class QuizTopics(Frozen):
    """Module by module in their order, each module's topics in the order of its text."""

    topics: tuple[ModuleTopic, ...]
    count: int
    usage: TopicsUsage = Field(description="what identifying them has cost, whenever that was")


class IdentificationFailure(Frozen):
    """Why a module has no topics, in words a user can act on."""

    code: ErrorCode
    message: str


class Identification(Frozen):
    """Where a module stands on its way to topics. Modules with the same text share one, by `identification_id`."""

    identification_id: UUID | None
    module_id: UUID
    module_name: str
    topics: tuple[Topic, ...]
    is_fresh: bool
    is_wanted: bool
    failure: IdentificationFailure | None
    spent: TopicsUsage


class WantedIdentification(Frozen):
    """One that must be in the queue."""

    identification_id: UUID
    fence: int


class IdentificationClaim(Frozen):
    """One in the hands of a worker, with what it needs. `fence` goes into every write about it."""

    identification_id: UUID
    fence: int
    tries: int
    owner: str
    module_id: UUID
    module_name: str
    text: str
    language: str
