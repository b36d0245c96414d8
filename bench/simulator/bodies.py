"""Requests for questions about the simulator's modules, written with the product's own prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from bench.simulator.modules import Module
from jobs.prompts import prompt
from jobs.providers import answer_schema
from jobs.providers.base import Request, Source
from schemas.states import QuestionType

MODEL = "claude-sonnet-5-5"
MAX_TOKENS = 8_000
TYPES = (
    QuestionType.MULTIPLE_CHOICE,
    QuestionType.SHORT_ANSWER,
    QuestionType.TRUE_FALSE,
    QuestionType.FILL_IN_BLANK,
    QuestionType.FLASHCARD,
)


@dataclass(frozen=True)
class Wanted:
    """One call of the benchmark."""

    module: Module
    question_type: QuestionType
    count: int

    @property
    def source(self) -> Source:
        name, text = self.module
        return Source(module_id=uuid5(NAMESPACE_URL, name), name=name, text=text, language="en")


def wanted(modules: Sequence[Module], calls: int, count: int) -> list[Wanted]:
    """Module by module, each type once."""
    pairs = [(module, question_type) for module in modules for question_type in TYPES]
    assert len(pairs) >= calls, f"{len(modules)} modules make no {calls} different calls"
    return [Wanted(module, question_type, count) for module, question_type in pairs[:calls]]


def body(call: Wanted, *, is_streamed: bool = False) -> dict[str, object]:
    """As the product itself would send it, and constant up to the cache mark for a module."""
    request = Request(source=call.source, question_type=call.question_type, difficulty=None, count=call.count)
    written = prompt.for_request(request)
    stream: Mapping[str, object] = {"stream": True} if is_streamed else {}
    return {
        "model": MODEL,
        "max_tokens": MAX_TOKENS,
        "system": [
            {"type": "text", "text": written.frame},
            {"type": "text", "text": written.module, "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [{"role": "user", "content": written.task}],
        "output_config": {
            "format": {"type": "json_schema", "schema": answer_schema.schema_of(call.question_type)},
        },
        **stream,
    }
