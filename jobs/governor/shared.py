"""What all workers know together about the provider: calls in flight, rate limits, overload. It lives in Redis.

One Lua script makes every step atomic. No rate limiter library fits: what one call takes of three limits is only
estimated until it ends, the provider's headers correct the levels, and a limit that one call met stops all of them.
Losing it loses nothing: it is learned again from the next answer's headers.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from arq.connections import ArqRedis
from pydantic import Field

from jobs.providers.base import RateLimits, Weight
from schemas.base import Frozen
from schemas.states import ErrorCode
from service.queue import REDIS_SECONDS_MAX

FREED_CHANNEL: Final = "quizmill:governor:freed"
_SCRIPT: Final = Path(__file__).with_name("shared.lua").read_text(encoding="utf-8")


class Rules(Frozen):
    """What the operator has set: `limits` are per minute, by the names of Weight's fields."""

    account: str
    calls_max: int
    limits: Mapping[str, int]
    lease_seconds: float


class Taken(Frozen):
    """A call that may start. `used` is what of each kind had been taken by then, with the `reserved` of this call.

    One that started while Redis was away has neither that nor a time.
    """

    call: str
    model: str
    weight: Weight
    taken_at: float | None = None
    reserved: Mapping[str, float] = Field(default_factory=dict)
    used: Mapping[str, float] = Field(default_factory=dict)


class Denied(Frozen):
    """Not yet: look again after `wait_seconds`, or when a call has ended. `blocked_by`: the provider is the reason."""

    wait_seconds: float | None = None
    is_full: bool = False
    blocked_by: ErrorCode | None = None


class Spent(Frozen):
    """What a call has taken of the token limits, and what it has read from the provider's cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0


class Ended(Frozen):
    """How a call ended. `spent` is None where nobody knows: then the estimate stands.

    `is_whole`: it ended well, so that what it spent is what such a call takes.
    """

    outcome: Literal["answered", "limited", "failed", "cancelled"]
    code: ErrorCode | None = None
    retry_after_seconds: float | None = None
    told: RateLimits | None = None
    spent: Spent | None = None
    is_whole: bool = False


class _Grant(Frozen):
    taken_at: float
    reserved: Mapping[str, float]
    used: Mapping[str, float]


class _Granted(Frozen):
    taken: tuple[_Grant, ...] = ()
    denied: Denied | None = None


class SharedState:
    """The steps. All raise redis.RedisError or OSError while Redis is away or hangs."""

    def __init__(self, redis: ArqRedis, rules: Rules) -> None:
        self._rules = rules
        self._script = redis.register_script(_SCRIPT)

    async def take(self, model: str, wanted: Sequence[tuple[str, Weight]]) -> tuple[list[Taken], Denied | None]:
        """Start as many of the calls as may, in their order; and why the next one may not."""
        reply = await self._run(
            "take", model, wanted=[{"call": call, "weight": weight.model_dump()} for call, weight in wanted]
        )
        granted = _Granted.model_validate(reply)
        return [
            Taken(call=call, model=model, weight=weight, **grant.model_dump())
            for grant, (call, weight) in zip(granted.taken, wanted, strict=False)
        ], granted.denied

    async def hear(self, taken: Taken, told: RateLimits) -> None:
        """What the headers of a good answer say, as soon as they are there."""
        await self._run("hear", taken.model, told=_told(told), is_good=True, **self._of(taken))

    async def leave(self, taken: Taken, ended: Ended, *, since: float | None, jitter: float) -> bool:
        """The call has ended. Returns whether the provider has answered anybody since it, or `since`, began."""
        reply = await self._run(
            "leave",
            taken.model,
            **self._of(taken),
            outcome=ended.outcome,
            code=ended.code,
            is_overload=ended.code is ErrorCode.PROVIDER_OVERLOADED,
            retry_after_seconds=ended.retry_after_seconds,
            told=_told(ended.told),
            spent=ended.spent.model_dump() if ended.spent else {},
            is_whole=ended.is_whole,
            since=since,
            jitter=jitter,
            channel=FREED_CHANNEL,
            model=taken.model,
        )
        return bool(reply["was_answered"])

    async def renew(self, model: str, calls: Sequence[str]) -> None:
        """These are still in flight. A worker that dies stops saying so, and its calls make room."""
        await self._run("renew", model, calls=list(calls))

    def _of(self, taken: Taken) -> dict[str, object]:
        return {
            "call": taken.call,
            "taken_at": taken.taken_at,
            "reserved": dict(taken.reserved),
            "used": dict(taken.used),
            "weight": taken.weight.model_dump(),
        }

    async def _run(self, step: str, model: str, /, **given: object) -> dict[str, object]:
        rules = self._rules
        common = {"limits": dict(rules.limits), "calls_max": rules.calls_max, "lease_seconds": rules.lease_seconds}
        # Lua knows no null: what is not known is left out.
        arguments = {name: value for name, value in (common | given).items() if value is not None}
        account = f"quizmill:governor:{{{rules.account}}}"
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            reply = await self._script(
                keys=[f"{account}:calls", f"{account}:calls:{model}", f"{account}:state:{model}"],
                args=[step, json.dumps(arguments)],
            )
        answer: dict[str, object] = json.loads(reply)
        return answer


def _told(limits: RateLimits | None) -> dict[str, object]:
    return limits.model_dump(exclude_none=True) if limits else {}
