"""What a run takes place in: a server under test that has served before, and clients and a publisher for it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from bench.streaming import bed, load
from bench.streaming.bed import Bed
from bench.streaming.load import Clients, Publisher
from bench.streaming.publisher import Order, Way
from bench.streaming.servers import Served, Serving

WARM_CLIENTS = 10
SECONDS_MAX = 600
PREVIEW_CHARACTERS = 80


class Contender(NamedTuple):
    way: Way
    serving: Serving


class Pace(NamedTuple):
    """With `in_flight` 0: so many events a second."""

    name: str
    in_flight: int
    per_second: float = 0.0


class Scene(NamedTuple):
    bed: Bed
    served: Served
    program: Path
    way: Way

    def publisher(
        self, pace: Pace, count: int, preview_characters: int = PREVIEW_CHARACTERS
    ) -> AbstractAsyncContextManager[Publisher]:
        order = Order(
            bed=self.bed,
            way=self.way,
            port=self.served.port,
            count=count,
            in_flight=pace.in_flight,
            per_second=pace.per_second,
            preview_characters=preview_characters,
        )
        return load.publisher(order)

    def clients(
        self, how_many: int, *, progress: int | None = None, path: str = "", **options: int
    ) -> AbstractAsyncContextManager[Clients]:
        given: dict[str, object] = {
            "port": self.served.port,
            "path": path or self.served.live_path,
            "clients": how_many,
            "ids": int(self.served.has_our_ids),
            "seconds": SECONDS_MAX,
            **options,
        }
        return load.clients(self.program, self.bed.directory / "received", given, progress=progress)


@asynccontextmanager
async def prepared(contender: Contender, program: Path) -> AsyncIterator[Scene]:
    async with bed.made() as made, contender.serving(made) as served:
        scene = Scene(made, served, program, contender.way)
        async with scene.clients(WARM_CLIENTS) as clients:
            await clients.ready()
            await clients.leave()
        yield scene
