"""The peers by name: how each is started, and how its answers are judged."""

import json
import subprocess
from collections.abc import Sequence

import jiter
from pydantic import ValidationError

from bench.contenders.base import Result
from bench.simulator import bodies
from bench.simulator.bodies import Wanted
from bench.simulator.scenario import Scenario
from jobs import checks
from jobs.providers import answer_schema
from jobs.providers.base import Unreadable
from schemas.base import Frozen
from schemas.questions import Fingerprint

TIMEOUT_SECONDS = 10.0
"""Of one call. The SDK's own would let one stalled call decide the wall: ten minutes."""


class Peer(Frozen):
    module: str
    package: str
    """Without which it can't take part."""
    in_flight_max: int
    says: str


NAMED = {
    "gather 50": Peer(module="gather_peer", package="anthropic", in_flight_max=50, says="gather + Semaphore(50), SDK"),
    "gather 200": Peer(
        module="gather_peer", package="anthropic", in_flight_max=200, says="gather + Semaphore(200), SDK"
    ),
    "langchain 50": Peer(
        module="langchain_peer", package="langchain_anthropic", in_flight_max=50, says="ChatAnthropic.abatch"
    ),
    "litellm 50": Peer(module="litellm_peer", package="litellm", in_flight_max=50, says="Router, num_retries=3"),
    "curator": Peer(module="curator_peer", package="bespokelabs.curator", in_flight_max=50, says="curator.LLM"),
}


def is_installed(peer: Peer, python: str) -> bool:
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec({peer.package!r}) is None)"
    return subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0


def run(
    peer: Peer, base_url: str, work: Sequence[Wanted], scenario: Scenario, *, python: str, seconds_max: float
) -> Result:
    """Raises TimeoutExpired when it takes longer than `seconds_max`."""
    setup = {
        "base_url": base_url,
        "in_flight_max": peer.in_flight_max,
        "timeout_seconds": TIMEOUT_SECONDS,
        "limits": {
            "requests": scenario.requests.per_minute,
            "input_tokens": scenario.input_tokens.per_minute,
            "output_tokens": scenario.output_tokens.per_minute,
        },
    }
    given = {"setup": setup, "bodies": [bodies.body(call) for call in work]}
    command = [python, "-m", "bench.contenders.peer", peer.module]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, timeout=seconds_max, check=False
    )
    assert done.returncode == 0, f"{peer.module} failed: {done.stderr[-2000:]}"
    report = json.loads(done.stdout.splitlines()[-1])
    return Result(
        wall_seconds=report["wall_seconds"],
        first_question_seconds=report["first_seconds"],
        good_calls=sum(is_good(call, answer) for call, answer in zip(work, report["answers"], strict=True)),
        cpu_seconds=report["cpu_seconds"],
        peak_rss_mb=report["peak_rss_mb"],
        errors=report["errors"],
    )


def is_good(call: Wanted, answer: str | None) -> bool:
    """Whether as many sound questions came back as were asked for, by the product's own checks."""
    taken: list[Fingerprint] = []
    for raw in _questions_in(answer or ""):
        draft = answer_schema.parse(call.question_type, raw)
        verdict = None if isinstance(draft, Unreadable) else checks.judge(draft, call.source, taken)
        if verdict is not None and not isinstance(verdict, checks.Rejection):
            taken.append(verdict.fingerprint)
    return len(taken) >= call.count


class _Answer(Frozen):
    questions: tuple[dict[str, object], ...]


def _questions_in(text: str) -> list[str]:
    try:
        answer = _Answer.model_validate(jiter.from_json(text.encode()))
    except (ValueError, ValidationError):
        return []
    return [json.dumps(question) for question in answer.questions]
