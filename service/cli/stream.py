"""A generation's events as a command hears them: over as many connections as it takes, none twice, none missed."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Final
from uuid import UUID

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError, connect_sse
from pydantic import BaseModel

from schemas.states import GenerationState
from service.cli.refusals import ServiceAway, require_success

PATIENCE: Final = httpx.Timeout(45.0, connect=10.0)
"""In seconds: a line that brings no heartbeat for so long is dead."""

RECONNECT_SECONDS: Final = 1.0
RECONNECT_SECONDS_MAX: Final = 15.0
"""Between two tries while nobody answers."""

RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.1, 60.0
"""What a service may ask for."""

DOUBLINGS_MAX: Final = 8
FAILURES_QUIET: Final = 1

NO_MORE: Final = 204
PASSING: Final = frozenset({408, 425, 429})
"""Refusals that mean: later."""

NAMELESS: Final = frozenset({"heartbeat", "bye"})


class StreamEvent(BaseModel):
    """One event as it came over the wire; `data` is its JSON object. A snapshot's id is that of the newest event."""

    id: int
    type: str
    data: dict[str, object]

    @property
    def state(self) -> GenerationState | None:
        """In which the generation is, if the event says so."""
        if self.type in {"snapshot", "resync"}:
            return GenerationState(str(self.data["status"]))
        kind = self.type.removeprefix("generation.")
        return GenerationState(kind) if kind in set(GenerationState) else None

    @property
    def is_last(self) -> bool:
        """Whether nothing follows it, unless the generation goes on later."""
        return self.state is not None and self.state.is_terminal


class Stream:
    """Follows one generation until it ends.

    `say` is told once, each time, that the service brings nothing. Raises ServiceRefused when it does not want to.
    """

    def __init__(
        self, http: httpx.Client, generation_id: UUID, *, from_start: bool, say: Callable[[str], None]
    ) -> None:
        self._http = http
        self._path = f"/api/generations/{generation_id}/events"
        self._say = say
        self._last_id = "0" if from_start else ""
        self._retry_seconds = RECONNECT_SECONDS
        self._failures = 0
        self._is_over = False

    def events(self) -> Iterator[StreamEvent]:
        """First a snapshot, unless from the start."""
        while True:
            self._failures += 1
            try:
                yield from self._connection()
            except (httpx.TransportError, SSEError, ServiceAway):
                self._is_over = False
            if self._is_over:
                return
            self._wait()

    def _connection(self) -> Iterator[StreamEvent]:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        with connect_sse(self._http, "GET", self._path, headers=headers, timeout=PATIENCE) as source:
            if source.response.status_code == NO_MORE:
                self._is_over = True
                return
            status = source.response.status_code
            if status in PASSING or status >= 500:
                raise ServiceAway(f"it answers {status}")
            require_success(source.response)
            yield from self._heard(source)

    def _heard(self, source: EventSource) -> Iterator[StreamEvent]:
        for told in source.iter_sse():
            self._failures = self._failures if told.event == "bye" else 0
            self._obey(told)
            # Only what comes at the very end is the end: a log that is replayed may have ended before.
            self._is_over = False
            if told.event in NAMELESS:
                continue
            event = StreamEvent(id=int(told.id), type=told.event, data=json.loads(told.data))
            self._last_id = told.id
            self._is_over = event.is_last
            yield event

    def _obey(self, told: ServerSentEvent) -> None:
        if told.retry is not None:
            self._retry_seconds = min(max(told.retry / 1000, RETRY_SECONDS_MIN), RETRY_SECONDS_MAX)

    def _wait(self) -> None:
        """Longer each time while nothing comes. A line that broke is no reason to speak, unless it stays so."""
        if self._failures == FAILURES_QUIET + 1:
            self._say(f"{self._http.base_url} is away or full: waiting until it is back.")
        longest = max(self._retry_seconds, RECONNECT_SECONDS_MAX)
        doublings = min(max(self._failures - 1, 0), DOUBLINGS_MAX)
        time.sleep(min(self._retry_seconds * 2**doublings, longest))
