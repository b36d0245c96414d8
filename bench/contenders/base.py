"""What a contender is given and what it reports."""

from collections.abc import Sequence

from bench.simulator import bodies, modules
from bench.simulator.bodies import Wanted
from schemas.base import Frozen

CALLS, QUESTIONS = 200, 5
MODULES, FACTS_PER_MODULE = 40, 24


class Result(Frozen):
    """Of one run. Seconds count from the moment the work was asked for, with everything started up before."""

    wall_seconds: float
    first_question_seconds: float | None
    good_calls: int
    cpu_seconds: float
    peak_rss_mb: float
    errors: dict[str, int]
    """Why calls were lost, with how many each."""


def work(seed: int, calls: int = CALLS, questions: int = QUESTIONS) -> Sequence[Wanted]:
    """The same calls for every contender."""
    return bodies.wanted(modules.write(seed, MODULES, FACTS_PER_MODULE), calls, questions)
