"""A client that orders and watches through every fault, and remembers what it was promised."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError, aconnect_sse

from tests.system import TERMINAL

AGAIN_SECONDS = 0.1
READ_SECONDS_MAX = 20.0
NO_MORE = 204
WITHOUT_ID = {"heartbeat", "bye"}


@dataclass(frozen=True)
class Accepted:
    """A question that the stream has told of: the slot it is in, and how it begins."""

    batch_id: str
    slot: int
    preview: str


@dataclass
class Witness:
    """Follows one generation; `hear` is called with every event."""

    url: str
    generation_id: str
    hear: Callable[[dict[str, Any]], None] = lambda _: None
    ids: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    connections: int = 0
    saved: dict[str, Any] = field(default_factory=dict)
    """What the API returned at the end: ids of questions and their contents."""

    @property
    def has_ended(self) -> bool:
        return bool(self.events) and self.events[-1]["type"].removeprefix("generation.") in TERMINAL

    @property
    def accepted(self) -> list[Accepted]:
        return [
            Accepted(event["batch_id"], event["held_count"] - 1, event["preview"])
            for event in self.events
            if event["type"] == "question.accepted"
        ]

    async def follow(self) -> None:
        """Until the generation has ended, through as many connections as it takes."""
        timeout = httpx.Timeout(5, read=READ_SECONDS_MAX)
        async with client(self.url, timeout=timeout) as http:
            while not self.has_ended:
                with suppress(httpx.HTTPError, SSEError):
                    await self._connect(http)
                # A service that is away does not call when it is back.
                await asyncio.sleep(0 if self.has_ended else AGAIN_SECONDS)

    async def _connect(self, http: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": str(self.ids[-1] if self.ids else 0)}
        path = f"/api/generations/{self.generation_id}/events"
        async with aconnect_sse(http, "GET", path, headers=headers) as source:
            source.response.raise_for_status()
            self.connections += 1
            if source.response.status_code == NO_MORE:
                self.surprises.append(f"204 after {headers}")
                return
            await self._listen(source)

    async def _listen(self, source: EventSource) -> None:
        async for event in source.aiter_sse():
            if event.event not in WITHOUT_ID:
                self._note(event)

    def _note(self, event: ServerSentEvent) -> None:
        expected = self.ids[-1] + 1 if self.ids else 1
        if event.event in {"snapshot", "resync"} or event.id != str(expected):
            self.surprises.append(f"{event.event} with id {event.id} where {expected} should come")
            return
        self.ids.append(int(event.id))
        self.events.append(json.loads(event.data))
        self.hear(self.events[-1])


def client(url: str, *, timeout: httpx.Timeout) -> httpx.AsyncClient:
    """Without certificates, which take longer to load than most requests."""
    return httpx.AsyncClient(base_url=url, timeout=timeout, verify=False)


async def order(url: str, modules: list[dict[str, Any]], *, title: str = "A quiz") -> str:
    """Order once; when the answer is lost, the list of generations tells whether the order was taken."""
    async with client(url, timeout=httpx.Timeout(30)) as http:
        while True:
            try:
                response = await http.post("/api/generations", json={"title": title, "modules": modules})
                response.raise_for_status()
                return str(response.json()["id"])
            except httpx.HTTPError:
                found = await _taken(http, title)
            if found:
                return found


async def _taken(http: httpx.AsyncClient, title: str) -> str | None:
    """The newest generation of the quiz with this title, asked for until there is an answer."""
    while True:
        try:
            quizzes = (await http.get("/api/quizzes")).raise_for_status().json()["items"]
            ids = [quiz["id"] for quiz in quizzes if quiz["title"] == title]
            if not ids:
                return None
            page = (await http.get("/api/generations", params={"quiz_id": ids[0]})).raise_for_status().json()
            return str(page["items"][0]["id"])
        except httpx.HTTPError:
            # As above: nobody calls.
            await asyncio.sleep(AGAIN_SECONDS)
