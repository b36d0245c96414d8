"""Event-stream clients while processes are killed and connections are cut; exit code 1 if any of them missed a thing.

    python -m tests.faults.streams --clients 1000 --seconds 180 --seed 1 --database sqlite

The report goes to test-results/.
"""

import argparse
import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.faults import report, sites
from tests.faults.forked import fork
from tests.faults.kills import RESULTS
from tests.faults.streams import fire
from tests.faults.streams.fire import Plan

GENERATIONS = 6
MODULES = 6
SERVICES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=180.0, help="how long blows fall")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--services", type=int, default=SERVICES)
    parser.add_argument("--question-seconds", type=float, default=0.5, help="how long the model takes for one")
    arguments = parser.parse_args()
    sys.stdout.write(f"seed {arguments.seed}\n")
    sys.stdout.flush()
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    plan = Plan(
        clients=arguments.clients,
        seconds=arguments.seconds,
        seed=arguments.seed,
        generations=GENERATIONS,
        modules=MODULES,
        question_seconds=arguments.question_seconds,
        pause_seconds_max=3.0,
        bytes_max=60_000,
    )
    place = partial(sites.spread, start=fork) if arguments.database == "postgres" else sites.swift
    directory = Path(tempfile.mkdtemp(prefix="quizmill-streams-"))
    started = time.monotonic()
    outcome = asyncio.run(fire.run(plan, partial(place, services=arguments.services), directory))
    about = {
        "database": arguments.database,
        "seed": arguments.seed,
        "clients": arguments.clients,
        "services": arguments.services,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds_of_clients_and_relay": round(time.process_time(), 1),
        "load_at_the_end": os.getloadavg()[0],
    }
    report.write(
        {**about, **outcome.figures()},
        name=f"streams-{arguments.database}",
        title=f"{arguments.clients} clients under fire on {arguments.database}",
        directory=RESULTS,
    )
    if outcome.problems:
        raise SystemExit(f"the logs are in {directory}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
