"""/api/generations/{id}/events: the log as a stream, or as a list for clients that poll (CONTRACT 5)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from schemas.generations import Generation
from service import auth
from service.api import backend, bodies, frames, tickets
from service.api.hub import Hub
from service.errors import BadRequest, Unavailable
from service.store import events, generations

SEND_SECONDS_MAX = 20.0
SEQ_DIGITS_MAX = 20
NO_MORE = 204


async def stream(request: Request) -> Response:
    """Live events; the JSON twin for `Accept: application/json`."""
    if "application/json" in request.headers.get("accept", ""):
        return await _listed(request)
    generation_id: UUID = request.path_params["generation_id"]
    seq = _resume_point(request)
    try:
        owner = await tickets.owner_of(request)
        async with backend.of(request).database.read() as tx:
            generation = await generations.load(tx, owner, generation_id)
            first = await events.first_seq(tx, generation_id)
    except Unavailable:
        return _come_back_later()
    if seq == generation.last_event_id and generation.status.is_terminal:
        return Response(status_code=NO_MORE)
    return EventSourceResponse(
        _told(backend.of(request).hub, generation, seq, first),
        media_type="text/event-stream; charset=utf-8",
        ping=frames.HEARTBEAT_SECONDS,
        ping_message_factory=frames.heartbeat,
        send_timeout=SEND_SECONDS_MAX,
        sep="\n",
    )


def _come_back_later() -> Response:
    """Browsers give up for ever on a 503, so overload is a stream that ends at once."""
    return Response(
        frames.farewell(retry_milliseconds=frames.AWAY_MILLISECONDS), media_type="text/event-stream; charset=utf-8"
    )


async def _told(hub: Hub, generation: Generation, seq: int | None, first: int | None) -> AsyncGenerator[bytes]:
    """What one client hears: a snapshot unless it can go on from `seq`, then everything that follows."""
    head = generation.last_event_id
    is_resuming = seq is not None and seq <= head and (head == 0 or seq + 1 >= (first or 1))
    if not is_resuming:
        yield frames.state("snapshot" if seq is None else "resync", generation)
        if generation.status.is_terminal:
            return
        seq = head
    assert seq is not None, "a snapshot sets where to go on"
    async with aclosing(hub.follow(generation.id, seq, is_first=is_resuming)) as blocks:
        async for block in blocks:
            yield block


async def _listed(request: Request) -> Response:
    """The `data` objects after `?after=` (or `cursor`) as a list."""
    generation_id: UUID = request.path_params["generation_id"]
    after = _digits(request.query_params.get("cursor") or request.query_params.get("after") or "0", "after")
    limit = bodies.limit(request)
    async with backend.of(request).database.read() as tx:
        await generations.require(tx, auth.owner_of(request), generation_id)
        found = await events.since(tx, generation_id, after, limit=limit + 1)
    more = f'"{found[limit - 1].seq}"' if len(found) > limit else "null"
    items = ",".join(event.data for event in found[:limit])
    return Response(f'{{"items":[{items}],"next_cursor":{more}}}', media_type="application/json")


def _resume_point(request: Request) -> int | None:
    """The last event the client has seen; None: it is new. The header wins, else every reconnect would start again."""
    for name, text in (
        ("Last-Event-ID", request.headers.get("last-event-id")),
        ("last_event_id", request.query_params.get("last_event_id")),
        ("from", request.query_params.get("from")),
    ):
        if text:
            return _digits(text, name)
    return None


def _digits(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= SEQ_DIGITS_MAX):
        raise BadRequest(f"{name} must be an event id: at most {SEQ_DIGITS_MAX} digits")
    return int(text)
