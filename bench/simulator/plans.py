"""What will happen to one call: how long it takes, what it says, what goes wrong. Drawn from seed, key and attempt."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from bench.simulator import chance, modules, questions
from bench.simulator.modules import Fact
from bench.simulator.scenario import Fault, Scenario
from tests.messages_prompt import Asked, understood

CHARACTERS_PER_TOKEN = 4
FIRST_BYTE_SECONDS = 0.15
TOKEN_SECONDS = 0.0007
# The 99th percentile is five times the median.
NOISE_SIGMA = math.log(5) / 2.3263
# What says no at once says so in a fraction of the time to the first byte.
REFUSING_SHARE = 0.3

_LANE = re.compile(r"take your questions from part (\d+) of \d+ of the module")


@dataclass(frozen=True)
class Call:
    """One request as the simulator understood it. The key says what is asked, whatever the number of questions."""

    key: str
    question_type: str
    count: int
    facts: tuple[Fact, ...]
    avoid: str
    prefix: str
    prefix_tokens: int
    task_tokens: int
    is_streamed: bool
    model: str


@dataclass(frozen=True)
class Plan:
    fault: Fault | None
    good_count: int
    """Questions before the fault strikes; without one, all."""
    texts: tuple[str, ...]
    first_byte_seconds: float
    token_seconds: float

    @property
    def seconds(self) -> float:
        """Of the whole call, if nothing goes wrong."""
        return self.first_byte_seconds + sum(map(self.question_seconds, self.texts))

    def question_seconds(self, text: str) -> float:
        return tokens_in(text) * self.token_seconds


def read(body: Mapping[str, object]) -> Call | None:
    """None where the request is not about a module of this simulator, or wants a type that it does not offer."""
    everything = _everything(body)
    # Some libraries have no system prompt: the module may stand in front of the task as well.
    asked = understood({**body, "system": everything}, 0)
    if asked is None or not questions.is_offered(asked.question_type):
        return None
    facts = modules.facts_in(asked.module_text)
    if len(facts) < asked.count:
        return None
    prefix = _cached_prefix(body.get("system"))
    return Call(
        key=_key(asked),
        question_type=asked.question_type,
        count=asked.count,
        facts=facts,
        avoid="\n".join(asked.avoid),
        prefix=prefix,
        prefix_tokens=len(prefix) // CHARACTERS_PER_TOKEN,
        task_tokens=max(1, (len(everything) - len(prefix)) // CHARACTERS_PER_TOKEN),
        is_streamed=asked.is_streamed,
        model=asked.model,
    )


def plan(scenario: Scenario, call: Call, attempt: int) -> Plan:
    """Of the attempt-th call with this key, from 1."""
    names = (scenario.seed, call.key, attempt)
    noise = chance.lognormal(NOISE_SIGMA, *names, "noise") * scenario.time_scale
    fault = _fault(scenario, call.key, attempt)
    texts = tuple(_texts(scenario.seed, call, attempt))
    good_count = len(texts) if fault is None else int(chance.share(*names, "after") * len(texts))
    return Plan(
        fault=fault,
        good_count=0 if fault is Fault.REFUSAL else good_count,
        texts=texts,
        first_byte_seconds=FIRST_BYTE_SECONDS * noise,
        token_seconds=TOKEN_SECONDS * noise,
    )


def tokens_in(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _fault(scenario: Scenario, key: str, attempt: int) -> Fault | None:
    for script in scenario.scripts:
        if script.part in key:
            return script.fault if attempt <= script.times else None
    drawn = chance.share(scenario.seed, key, attempt, "fault")
    for fault, share in scenario.faults.items():
        drawn -= share
        if drawn < 0:
            return fault
    return None


def _texts(seed: int, call: Call, attempt: int) -> list[str]:
    """Each attempt begins where the one before would have ended, and leaves out what it is told to avoid."""
    order = _order(seed, call.key, len(call.facts))
    start = (attempt - 1) * call.count
    turned = [call.facts[order[(start + step) % len(order)]] for step in range(len(order))]
    fresh = [fact for fact in turned if fact.subject not in call.avoid]
    return [questions.written(call.question_type, fact, _others(turned, at)) for at, fact in enumerate(fresh)][
        : call.count
    ]


def _others(facts: Sequence[Fact], at: int) -> list[Fact]:
    return [facts[(at + step) % len(facts)] for step in range(1, questions.DISTRACTORS + 2)]


@lru_cache(maxsize=8192)
def _order(seed: int, key: str, count: int) -> tuple[int, ...]:
    places = list(range(count))
    Random(f"order of {seed} {key}").shuffle(places)
    return tuple(places)


def _key(asked: Asked) -> str:
    lane = _LANE.search(asked.prompt)
    return "|".join((asked.module, asked.question_type, asked.difficulty, lane[1] if lane else "1"))


def _everything(body: Mapping[str, object]) -> str:
    messages = body.get("messages")
    contents = [message.get("content") for message in messages] if isinstance(messages, list) else []
    return "\n\n".join(_text(content) for content in (body.get("system"), *contents))


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n\n".join(block.get("text", "") for block in content)
    return content if isinstance(content, str) else ""


def _cached_prefix(system: object) -> str:
    """Everything up to the last cache mark; without a mark nothing is cached."""
    blocks = system if isinstance(system, list) else []
    marked = [place for place, block in enumerate(blocks) if block.get("cache_control")]
    return _text(blocks[: marked[-1] + 1]) if marked else ""
