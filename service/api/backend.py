"""What every endpoint works with."""

from dataclasses import dataclass

from arq.connections import ArqRedis
from starlette.requests import HTTPConnection

from service.api.bell import Bell
from service.api.hub import Hub
from service.api.seats import Seats
from service.broadcast import Broadcast
from service.queue import Queue
from service.settings import Settings
from service.store.database import Database


@dataclass(frozen=True)
class Backend:
    settings: Settings
    database: Database
    redis: ArqRedis
    queue: Queue
    broadcast: Broadcast
    hub: Hub
    bell: Bell
    seats: Seats

    def close(self) -> None:
        """End every stream and every request that waits: the service stops."""
        self.hub.close()
        self.bell.close()


def of(connection: HTTPConnection) -> Backend:
    backend = connection.app.state.backend
    assert isinstance(backend, Backend), "create_app sets the backend"
    return backend
