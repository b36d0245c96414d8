"""`python -m bench.simulator --port 9900 --seed 1 --scenario faults_5`: serves until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import signal
from dataclasses import replace

import uvloop

from bench.simulator import scenario, server
from bench.simulator.provider import Provider
from bench.simulator.scenario import Limit, Outage, Scenario


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one, which is printed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", choices=list(scenario.NAMED), default="no_limit")
    parser.add_argument("--time-scale", type=float, help="of the model's latencies")
    for name in ("requests", "input-tokens", "output-tokens"):
        parser.add_argument(
            f"--{name}", type=limit_of, metavar="PER_MINUTE[:BURST]", help="without a burst: one second's"
        )
    parser.add_argument("--fault", type=scenario.fault_of, action="append", metavar="FAULT=SHARE")
    parser.add_argument("--script", type=scenario.script_of, action="append", metavar="KEY:FAULT:TIMES")
    parser.add_argument("--outage", type=outage_of, metavar="START:SECONDS[:refuse]")
    chosen = parser.parse_args()
    uvloop.run(run(scenario_of(chosen), chosen.port))


def scenario_of(chosen: argparse.Namespace) -> Scenario:
    """The named one with what the options change of it."""
    changes = {
        "time_scale": chosen.time_scale,
        "requests": chosen.requests,
        "input_tokens": chosen.input_tokens,
        "output_tokens": chosen.output_tokens,
        "faults": dict(chosen.fault) if chosen.fault else None,
        "scripts": tuple(chosen.script) if chosen.script else None,
        "outage": chosen.outage,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(scenario.named(chosen.scenario, seed=chosen.seed), **given)


def limit_of(text: str) -> Limit:
    per_minute, _, burst = text.partition(":")
    return Limit(int(per_minute), int(burst or max(1, int(per_minute) // 60)))


def outage_of(text: str) -> Outage:
    start, seconds, *refuse = text.split(":")
    return Outage(float(start), float(seconds), is_refusing=refuse == ["refuse"])


async def run(chosen: Scenario, port: int) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    listening = await server.serve(Provider(chosen), port)
    print(f"The simulator listens at http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await stopping.wait()
    listening.close()


if __name__ == "__main__":
    main()
