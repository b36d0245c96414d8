"""/api/stream-tickets: opens one event stream for clients that can send neither header nor cookie.

Tickets live in Redis, which may lose them: whoever holds a lost one asks for another.
"""

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from redis import RedisError
from starlette.requests import Request
from starlette.responses import Response

from schemas.tickets import Ticket, TicketOrder
from service import auth
from service.api import backend, bodies
from service.api.answers import answer
from service.errors import Forbidden, Unavailable
from service.queue import REDIS_SECONDS_MAX
from service.store import generations

TICKET_SECONDS: Final = 60
TICKET_BYTES: Final = 32


async def create(request: Request) -> Response:
    """POST /api/stream-tickets. Raises NotFound for a generation of someone else."""
    wanted = await bodies.parse(request, TicketOrder)
    owner = auth.owner_of(request)
    async with backend.of(request).database.read() as tx:
        await generations.require(tx, owner, wanted.generation_id)
    ticket = secrets.token_urlsafe(TICKET_BYTES)
    expires_at = datetime.now(UTC) + timedelta(seconds=TICKET_SECONDS)
    try:
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            await backend.of(request).redis.set(_key(wanted.generation_id, ticket), owner, ex=TICKET_SECONDS)
    except (RedisError, OSError):
        raise Unavailable("tickets can't be given out at the moment: ask again in a moment") from None
    return answer(Ticket(ticket=ticket, expires_at=expires_at), status=201)


async def owner_of(request: Request) -> str:
    """Whose stream this is: the ticket's owner, or without a ticket whoever asks. A ticket is used up by it.

    Raises Forbidden for a ticket that does not open this stream, Unavailable while nobody can tell.
    """
    ticket = request.query_params.get("ticket")
    if ticket is None:
        return auth.owner_of(request)
    try:
        async with asyncio.timeout(REDIS_SECONDS_MAX):
            # Taken in one step: of several services that are shown the same ticket, one finds it.
            owner = await backend.of(request).redis.getdel(_key(request.path_params["generation_id"], ticket))
    except (RedisError, OSError):
        raise Unavailable("tickets can't be looked at at the moment: come back in a moment") from None
    if owner is None:
        raise Forbidden(
            f"this ticket does not open this stream: it was used, is older than {TICKET_SECONDS} seconds, or is for"
            " another generation. Ask for a new one."
        )
    return str(owner, "utf-8")


def _key(generation_id: UUID, ticket: str) -> str:
    """The generation is part of it, so that a ticket shown elsewhere finds nothing. Redis does not see the ticket."""
    return f"quizmill:ticket:{generation_id}:{hashlib.sha256(ticket.encode()).hexdigest()}"
