"""What the event stream costs and how soon it tells: ours against a first design and Nchan, in one run.

`python -m bench.stream` needs Linux and a C compiler; Nchan is left out unless it is installed
(`apt install nginx-light libnginx-mod-nchan`). Every run starts a server of its own with an empty log. The server has
the first core to itself; clients, publisher and Valkey share the last one. docs/performance.md says how to read it.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from bench.streaming import load, results, runs, servers
from bench.streaming.results import Entry
from bench.streaming.runs import Figures
from bench.streaming.scene import Contender, Pace

SERVERS = {
    "ours": Contender("ours", servers.ours),
    "naive": Contender("naive", servers.naive),
    "nchan": Contender("nchan", servers.nchan),
}
MEASURES = ("fanout", "storm", "stall")
PACES = {"8": Pace("8 in flight", 8), "1": Pace("1 in flight", 1), "10/s": Pace("10 a second", 0, 10.0)}
MANY_CLIENTS = 1000
MANY_READERS = 100
CUT_SECONDS_MAX = 25.0
"""How long after the last event a client that does not read may still be cut."""
NOTES = """
per CPU s   deliveries per second of processor time of the server's processes. Valkey's and the publisher's do not
            count; that Nchan is told by HTTP does
p50, p99    from the moment at which it was begun to tell the server of an event that is in the log, to its arrival
KB/stream   by how much the server's memory is larger when all has been delivered than before they connected
open s      until all have connected and heard a first time
core busy % of the run, how long the server could have run but its core was taken: above some 10 %, times say little
total s     from the first connection until each client has what it missed; "memory": somebody was watching when the
            events came, "database": nobody was, as after a restart
cut         1: the client that does not read was cut off; cut s, cut MB: after how long and how many published bytes
p99         of those who read; / without: against a run without the one that does not
RSS +MB     the most by which the server grew, beyond what it grew by in the run without"""

Run = Callable[[Contender, Path], Awaitable[Figures]]


class Cell(NamedTuple):
    name: str
    run: Run
    contenders: tuple[str, ...] = tuple(SERVERS)


class Size(NamedTuple):
    """How much is done in one run."""

    events: Callable[[int, Pace], int]
    storm_clients: int
    storm_events: int
    stalls: tuple[tuple[int, int], ...]
    """How many read beside the one that does not, and events."""
    cut_seconds_max: float


def _events(clients: int, pace: Pace) -> int:
    if not pace.in_flight:
        return 40
    return 100 if clients >= MANY_CLIENTS else 200


FULL = Size(_events, MANY_CLIENTS, 200, ((10, 8000), (499, 1500)), CUT_SECONDS_MAX)
QUICK = Size(lambda _clients, pace: 24 if pace.in_flight else 10, 50, 50, ((10, 400),), 0)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    chosen = arguments(sys.argv[1:])
    allow_many_files()
    entries = asyncio.run(measured(chosen))
    print("\n".join([*results.table(entries), *results.verdicts(entries), NOTES]))


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="append", choices=MEASURES, help="may be repeated; default: all")
    parser.add_argument("--clients", default="100,500,2000", help="comma list, for the fan-out")
    parser.add_argument("--paces", default="8,1,10/s", help=f"comma list of {', '.join(PACES)}, for the fan-out")
    parser.add_argument("--contenders", default=",".join(SERVERS), help="comma list")
    parser.add_argument("--repeats", type=int, default=3, help="of everything, taking turns")
    parser.add_argument("--quick", action="store_true", help="a small run of everything, whose figures say little")
    parser.add_argument("--out", type=Path, help="write every single run there, as JSON")
    chosen = parser.parse_args(given)
    if chosen.quick:
        chosen.clients, chosen.repeats = "50", 1
    return chosen


def allow_many_files() -> None:
    """A stream is a file at both ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def measured(chosen: argparse.Namespace) -> list[Entry]:
    size = QUICK if chosen.quick else FULL
    names = installed(chosen.contenders.split(","))
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory() as directory:
        program = load.compiled(Path(directory))
        for repeat in range(chosen.repeats):
            for cell in cells(chosen, size):
                taking_part = turned([name for name in names if name in cell.contenders], repeat)
                entries += [await entry(cell, name, repeat, program) for name in taking_part]
                if chosen.out:
                    chosen.out.write_text(json.dumps([made.model_dump() for made in entries], indent=1))
    return entries


def installed(names: Sequence[str]) -> list[str]:
    if "nchan" in names and not servers.is_nchan_installed():
        print("(left out: nchan. `apt install nginx-light libnginx-mod-nchan` as root)")
        return [name for name in names if name != "nchan"]
    return list(names)


def turned(names: list[str], repeat: int) -> list[str]:
    """Another one begins in every repeat, so that what else runs on the machine meets all of them."""
    first = repeat % max(1, len(names))
    return names[first:] + names[:first]


async def entry(cell: Cell, name: str, repeat: int, program: Path) -> Entry:
    load_average = os.getloadavg()[0]
    figures = await cell.run(SERVERS[name], program)
    made = Entry(cell=cell.name, contender=name, repeat=repeat, load_average=load_average, figures=figures)
    shown = ", ".join(f"{figure} {value:,.2f}" for figure, value in figures.items())
    print(f"[load {load_average:.1f}] {cell.name}, {name}: {shown}", flush=True)
    return made


def cells(chosen: argparse.Namespace, size: Size) -> Iterator[Cell]:
    measures = chosen.measure or MEASURES
    if "fanout" in measures:
        yield from _fanouts(chosen, size)
    if "storm" in measures:
        yield from _storms(size)
    if "stall" in measures:
        for readers, count in size.stalls:
            run = partial(runs.stall, readers=readers, count=count, cut_seconds_max=size.cut_seconds_max)
            # A first design would take minutes over the many.
            taking_part = tuple(SERVERS) if readers < MANY_READERS else ("ours", "nchan")
            yield Cell(f"{readers} beside a stalled one", run, taking_part)


def _fanouts(chosen: argparse.Namespace, size: Size) -> Iterator[Cell]:
    for clients in map(int, chosen.clients.split(",")):
        for pace in (PACES[name] for name in chosen.paces.split(",")):
            run = partial(runs.fanout, clients=clients, pace=pace, count=size.events(clients, pace))
            yield Cell(f"{clients:,} clients, {pace.name}", run)


def _storms(size: Size) -> Iterator[Cell]:
    storm = partial(runs.storm, clients=size.storm_clients, count=size.storm_events)
    yield Cell(f"{size.storm_clients:,} come back, memory", partial(storm, is_watched=True))
    # Nchan keeps events in memory only.
    yield Cell(f"{size.storm_clients:,} come back, database", partial(storm, is_watched=False), ("ours", "naive"))


if __name__ == "__main__":
    main()
