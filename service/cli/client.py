"""A client of the HTTP interface, for the commands that talk to a running service."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel

from schemas.estimates import Estimate
from schemas.exports import Manifest
from schemas.generations import Generation, RetryAnswer
from schemas.lists import Page
from schemas.materials import MaterialReport
from schemas.orders import Order
from schemas.quizzes import Quiz
from schemas.states import Review
from schemas.topics import QuizTopics
from service.cli.refusals import ServiceAway, require_success
from service.cli.stream import Stream, StreamEvent

Model = TypeVar("Model", bound=BaseModel)

TOPICS_SECONDS_MAX: Final = 75.0
"""The service itself gives up after a minute, and says so."""

LOOK_SECONDS: Final = 0.5
BETWEEN: Final = frozenset({502, 503, 504})
"""What a proxy, or the service itself, answers for one that is about to be back."""


class Client:
    """Methods raise ServiceRefused and ServiceAway.

    `patience_seconds`: how long reading waits for a service that is away, perhaps because it is started anew.
    """

    def __init__(self, url: str, *, patience_seconds: float = 0.0) -> None:
        self._url = url.rstrip("/")
        self._patience_seconds = patience_seconds
        self._http = httpx.Client(base_url=self._url, timeout=30, headers={"Accept": "application/json"})

    def quiz(self, quiz_id: UUID) -> Quiz:
        return self._ask(Quiz, "GET", f"/api/quizzes/{quiz_id}")

    def upload(self, *, title: str, language: str, files: Sequence[Path]) -> Quiz:
        parts = [("files", (path.name, path.read_bytes())) for path in files]
        return self._ask(Quiz, "POST", "/api/quizzes", data={"title": title, "language": language}, files=parts)

    def materials(self, quiz_id: UUID) -> tuple[MaterialReport, ...]:
        """What became of the quiz's files."""
        return self._ask(Page[MaterialReport], "GET", f"/api/quizzes/{quiz_id}/materials").items

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

    def export(self, quiz_id: UUID, export_format: str, *, review: Review | None = None) -> bytes:
        return self._send("GET", f"/api/quizzes/{quiz_id}/export/{export_format}", params=_reviewed(review)).content

    def manifest(self, quiz_id: UUID, export_format: str, *, review: Review | None = None) -> Manifest:
        path = f"/api/quizzes/{quiz_id}/export/{export_format}/manifest"
        return self._ask(Manifest, "GET", path, params=_reviewed(review))

    def watch(
        self, generation_id: UUID, *, say: Callable[[str], None], from_start: bool = False
    ) -> Iterator[StreamEvent]:
        """Every event until the generation has ended, through lost connections and restarts. First a snapshot.

        `say` is told when nobody answers; only a refusal ends the wait.
        """
        return Stream(self._http, generation_id, from_start=from_start, say=say).events()

    def _ask(self, model: type[Model], method: str, path: str, **options: object) -> Model:
        return model.model_validate_json(self._send(method, path, **options).content)

    def _send(self, method: str, path: str, **options: object) -> httpx.Response:
        until = time.monotonic() + (self._patience_seconds if method == "GET" else 0)
        while True:
            try:
                response = self._http.request(method, path, **options)  # type: ignore[arg-type] # httpx's own options
            except httpx.TransportError as error:
                if time.monotonic() >= until:
                    raise ServiceAway(
                        f"no Quizmill answers at {self._url} ({error}): is `quizmill up` running?"
                    ) from None
            else:
                if response.status_code not in BETWEEN or time.monotonic() >= until:
                    require_success(response)
                    return response
            # A service does not tell when it is back.
            time.sleep(LOOK_SECONDS)


def _reviewed(review: Review | None) -> dict[str, str]:
    return {"review": review} if review else {}
