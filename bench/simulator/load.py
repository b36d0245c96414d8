"""How many requests a second the simulator answers: `python -m bench.simulator.load`.

Short answers that are not streamed, no latencies, no faults, no limits, over kept connections. Client and simulator
have a core each; the figure that counts is requests per second of the simulator's own processor time.
"""

import argparse
import asyncio
import json
import time
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools
import httpx
import uvloop

from bench.simulator import bodies, children, modules
from bench.simulator.bodies import Wanted
from bench.simulator.tally import Stats


class Client(asyncio.Protocol):
    """Sends one request after the other over one connection."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._done = done
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._requests:
            self._transport.write(self._requests.pop())
        elif not self._done.done():
            self._done.set_result(None)
            self._transport.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--questions", type=int, default=1)
    chosen = parser.parse_args()
    with children.running("--scenario", "instant") as url:
        requests = raw_requests(chosen.requests, chosen.questions)
        seconds = uvloop.run(measure(url, requests, chosen.connections))
        stats = Stats.model_validate(httpx.get(f"{url}/stats").json())
    assert stats.outcomes == {"good": chosen.requests}, stats.outcomes
    print(f"{chosen.requests} requests of {chosen.questions} question(s) over {chosen.connections} connections")
    print(f"{chosen.requests / seconds:10,.0f} requests per second")
    print(f"{chosen.requests / stats.cpu_seconds:10,.0f} requests per second of the simulator's processor time")


def raw_requests(count: int, questions: int) -> list[bytes]:
    written = modules.write(1, 40, 24)
    ready = [_raw(call) for call in bodies.wanted(written, 200, questions)]
    return [ready[number % len(ready)] for number in range(count)]


def _raw(call: Wanted) -> bytes:
    data = json.dumps(bodies.body(call)).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


async def measure(url: str, requests: list[bytes], connections: int) -> float:
    loop = asyncio.get_running_loop()
    address = urlsplit(url)
    assert address.hostname, "the simulator tells it"
    assert address.port, "as above"
    begun = time.perf_counter()
    waits = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(partial(Client, requests, done), address.hostname, address.port)
        waits.append(done)
    await asyncio.gather(*waits)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
