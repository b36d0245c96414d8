"""What a simulated provider is like: its limits, its faults, its outage; and the scenarios of the benchmark by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Fault(StrEnum):
    SERVER_ERROR = "server_error"  # HTTP 500
    OVERLOADED = "overloaded"  # HTTP 529
    RESET = "reset"  # the connection, before any answer
    STALL = "stall"  # not one byte
    STALL_MIDWAY = "stall_midway"  # silence in the middle of the stream
    ERROR_MIDWAY = "error_midway"  # an error event in a stream with status 200
    BREAK_MIDWAY = "break_midway"  # the connection ends in the middle
    MALFORMED = "malformed"  # JSON that breaks after some questions
    TOO_FEW = "too_few"  # a good answer with questions missing
    REFUSAL = "refusal"  # stop_reason, after no question


# A refusal is an answer: asking again is not what a user wants, so it is no part of a mix in which nothing may be lost.
MIXED = tuple(fault for fault in Fault if fault is not Fault.REFUSAL)


@dataclass(frozen=True)
class Limit:
    """A bucket that holds `burst` and is refilled all the time with `per_minute`."""

    per_minute: int
    burst: int


@dataclass(frozen=True)
class Outage:
    """From `start_seconds` after the first call on, nothing works; what is in flight then breaks."""

    start_seconds: float
    seconds: float
    is_refusing: bool = False
    """The connection is reset instead of a 529."""


@dataclass(frozen=True)
class Script:
    """Calls whose key contains `part` meet the fault on their first `times` attempts."""

    part: str
    fault: Fault
    times: int


@dataclass(frozen=True)
class Scenario:
    """`time_scale` stretches the model's latencies, not the limits and not the outage."""

    seed: int = 1
    time_scale: float = 1.0
    requests: Limit = Limit(4_000, 4_000)
    input_tokens: Limit = Limit(2_000_000, 2_000_000)
    output_tokens: Limit = Limit(400_000, 400_000)
    faults: Mapping[Fault, float] = field(default_factory=dict)
    scripts: tuple[Script, ...] = ()
    outage: Outage | None = None


UNLIMITED = Limit(60_000_000, 60_000_000)

NAMED = {
    "no_limit": Scenario(),
    "rpm_600": Scenario(requests=Limit(600, 10)),
    "tokens": Scenario(input_tokens=Limit(400_000, 20_000), output_tokens=Limit(200_000, 10_000)),
    "faults_5": Scenario(faults=dict.fromkeys(MIXED, 0.05 / len(MIXED))),
    "faults_30": Scenario(faults=dict.fromkeys(MIXED, 0.30 / len(MIXED))),
    "outage_20s": Scenario(outage=Outage(start_seconds=0.4, seconds=20)),
    # For measuring the simulator itself.
    "instant": Scenario(time_scale=0, requests=UNLIMITED, input_tokens=UNLIMITED, output_tokens=UNLIMITED),
}


def named(name: str, *, seed: int) -> Scenario:
    return replace(NAMED[name], seed=seed)


def script_of(text: str) -> Script:
    """`Chapter 3:reset:2`."""
    parts = re.fullmatch(r"(?P<part>.+):(?P<fault>[a-z_]+):(?P<times>\d+)", text)
    if parts is None:
        raise ValueError(f"{text!r} is not KEY:FAULT:TIMES")
    return Script(parts["part"], Fault(parts["fault"]), int(parts["times"]))


def fault_of(text: str) -> tuple[Fault, float]:
    """`reset=0.1`."""
    name, _, share = text.partition("=")
    return Fault(name), float(share)
