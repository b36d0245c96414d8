"""`quizmill serve`: one web service process."""

from service import queue
from service.app import create_app
from service.errors import SettingsInvalid
from service.server import Server, address, listen, stop_on_signals
from service.settings import Settings
from service.store import schema
from service.store.database import Database


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises SettingsInvalid."""
    if not settings.redis_url:
        raise SettingsInvalid("the web service needs QUIZMILL_REDIS_URL; `quizmill up` brings a Valkey of its own")
    database = Database(settings.resolved_database_url)
    await schema.require_current(database)
    await database.close()
    with listen(settings) as listening:

        def say_ready() -> None:
            print(f"Quizmill is ready at {address(listening)}", flush=True)  # noqa: T201 # scripts wait for it

        server = Server(create_app(settings, queue.connect(settings.redis_url)), on_ready=say_ready)
        stop_on_signals(server.stop)
        await server.serve(sockets=[listening])
