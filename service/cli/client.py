"""A client of the HTTP interface, for the commands that talk to a running service."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar
from uuid import UUID

import httpx
from httpx_sse import SSEError, connect_sse
from pydantic import BaseModel

from schemas.estimates import Estimate
from schemas.events import TERMINAL_TYPES
from schemas.generations import Generation, RetryAnswer
from schemas.lists import Page
from schemas.orders import Order
from schemas.quizzes import Quiz
from schemas.topics import QuizTopics
from service.errors import QuizmillError

Model = TypeVar("Model", bound=BaseModel)

SILENCE_SECONDS_MAX: Final = 45.0
RECONNECT_SECONDS: Final = 1.0
TOPICS_SECONDS_MAX: Final = 75.0
"""The service itself gives up after a minute, and says so."""

NO_MORE: Final = 204


class ServiceRefused(QuizmillError):
    """The service answered with a problem: its words are ours."""


class ServiceAway(QuizmillError):
    """Nobody answers there."""


class StreamEvent(BaseModel):
    """One event as it came over the wire; `data` is its JSON object."""

    type: str
    data: dict[str, object]


class Client:
    """Methods raise ServiceRefused and ServiceAway."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=30, headers={"Accept": "application/json"})

    def quiz(self, quiz_id: UUID) -> Quiz:
        return self._ask(Quiz, "GET", f"/api/quizzes/{quiz_id}")

    def upload(self, *, title: str, language: str, files: Sequence[Path]) -> Quiz:
        parts = [("files", (path.name, path.read_bytes())) for path in files]
        return self._ask(Quiz, "POST", "/api/quizzes", data={"title": title, "language": language}, files=parts)

    def topics(self, quiz_id: UUID) -> QuizTopics:
        return self._ask(QuizTopics, "POST", f"/api/quizzes/{quiz_id}/topics", timeout=TOPICS_SECONDS_MAX)

    def publish(self, quiz_id: UUID, *, canvas_url: str, course_id: str, token: str) -> Quiz:
        body = {"canvas_url": canvas_url, "course_id": course_id, "token": token}
        return self._ask(Quiz, "POST", f"/api/quizzes/{quiz_id}/publish", json=body)

    def order(self, quiz_id: UUID, order: Order) -> Generation:
        body = order.model_dump(mode="json", exclude_none=True)
        return self._ask(Generation, "POST", f"/api/quizzes/{quiz_id}/generations", json=body)

    def estimate(self, quiz_id: UUID, order: Order) -> Estimate:
        body = order.model_dump(mode="json", exclude_none=True)
        path = f"/api/quizzes/{quiz_id}/generations"
        return self._ask(Estimate, "POST", path, params={"estimate": "true"}, json=body)

    def generation(self, generation_id: UUID) -> Generation:
        return self._ask(Generation, "GET", f"/api/generations/{generation_id}")

    def generations(self, *, status: str | None, limit: int) -> Page[Generation]:
        query = {"limit": str(limit), **({"status": status} if status else {})}
        return self._ask(Page[Generation], "GET", "/api/generations", params=query)

    def retry(
        self,
        generation_id: UUID,
        batch_ids: Sequence[UUID],
        *,
        model: str | None,
        dry_run: bool,
        cost_max_usd: float | None = None,
    ) -> RetryAnswer:
        body: dict[str, object] = {}
        if batch_ids:
            body["batch_ids"] = [str(batch_id) for batch_id in batch_ids]
        if model:
            body["model"] = model
        if cost_max_usd is not None:
            body["cost_max_usd"] = cost_max_usd
        query = {"dry_run": "true" if dry_run else "false"}
        return self._ask(RetryAnswer, "POST", f"/api/generations/{generation_id}/retry", params=query, json=body)

    def resume(self, generation_id: UUID, *, cost_max_usd: float | None = None) -> Generation:
        body = {} if cost_max_usd is None else {"cost_max_usd": cost_max_usd}
        return self._ask(Generation, "POST", f"/api/generations/{generation_id}/resume", json=body)

    def step(self, generation_id: UUID, name: Literal["pause", "cancel"]) -> Generation:
        return self._ask(Generation, "POST", f"/api/generations/{generation_id}/{name}")

    def export(self, quiz_id: UUID, export_format: str) -> bytes:
        return self._send("GET", f"/api/quizzes/{quiz_id}/export/{export_format}").content

    def watch(self, generation_id: UUID, *, from_start: bool = False) -> Iterator[StreamEvent]:
        """Every event until the generation has ended, through lost connections, without a gap. First a snapshot."""
        last_id = "0" if from_start else ""
        path = f"/api/generations/{generation_id}/events"
        while True:
            was_terminal = False
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with connect_sse(self._http, "GET", path, headers=headers, timeout=SILENCE_SECONDS_MAX) as source:
                    if source.response.status_code == NO_MORE:
                        return
                    _require_success(source.response)
                    for event in source.iter_sse():
                        last_id = event.id or last_id
                        if event.event in {"heartbeat", "bye"}:
                            continue
                        was_terminal = event.event in TERMINAL_TYPES
                        yield StreamEvent(type=event.event, data=json.loads(event.data))
            except (httpx.TransportError, SSEError):
                # The service is restarting or the line broke; its `retry:` says a second.
                was_terminal = False
            if not was_terminal:
                time.sleep(RECONNECT_SECONDS)

    def _ask(self, model: type[Model], method: str, path: str, **options: object) -> Model:
        return model.model_validate_json(self._send(method, path, **options).content)

    def _send(self, method: str, path: str, **options: object) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)  # type: ignore[arg-type] # httpx's own options
        except httpx.TransportError as error:
            raise ServiceAway(f"no Quizmill answers at {self._url} ({error}): is `quizmill up` running?") from None
        _require_success(response)
        return response


def _require_success(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase
    raise ServiceRefused(f"{response.status_code}: {detail}")
