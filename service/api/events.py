"""The log of a generation as a stream or as a list, and of several as one stream (CONTRACT 5)."""

from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from service import auth
from service.api import backend, bodies, frames, tickets
from service.api.watching import Watching, come_back
from service.errors import BadRequest, Unavailable
from service.store import events, generations

SEQ_DIGITS_MAX: Final = 20
WATCHED_MAX: Final = 100


async def stream(request: Request) -> Response:
    """Live events of one generation; the JSON twin for `Accept: application/json`."""
    if "application/json" in request.headers.get("accept", ""):
        return await _listed(request)
    generation_id: UUID = request.path_params["generation_id"]
    position = (generation_id, _resume_point(request))
    try:
        owner = await tickets.owner_of(request)
    except Unavailable:
        return come_back(frames.AWAY_MILLISECONDS)
    return Watching(backend.of(request), owner, [position])


async def stream_of_several(request: Request) -> Response:
    """GET /api/events?after=GENERATION_ID:SEQ, repeated: one stream for all tabs of a browser.

    An id is that of its generation, so `Last-Event-ID` would not tell where to go on: the client says so anew.
    """
    positions = dict(_position(text) for text in request.query_params.getlist("after"))
    if not 1 <= len(positions) <= WATCHED_MAX:
        raise BadRequest(f"name 1 to {WATCHED_MAX} generations as after=GENERATION_ID:LAST_EVENT_ID")
    return Watching(backend.of(request), auth.owner_of(request), list(positions.items()))


async def _listed(request: Request) -> Response:
    """The `data` objects after `?after=` (or `cursor`) as a list."""
    generation_id: UUID = request.path_params["generation_id"]
    name = "cursor" if request.query_params.get("cursor") else "after"
    after = _digits(request.query_params.get(name) or "0", name)
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


def _position(text: str) -> tuple[UUID, int]:
    generation_id, _, seq = text.partition(":")
    try:
        return UUID(generation_id), _digits(seq, "after")
    except ValueError:
        raise BadRequest("after must be GENERATION_ID:LAST_EVENT_ID") from None


def _digits(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= SEQ_DIGITS_MAX):
        raise BadRequest(f"{name} must be an event id: at most {SEQ_DIGITS_MAX} digits")
    return int(text)
