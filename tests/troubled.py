"""A database that is away, slow, counted, or silent after a commit, when a test wants it to be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import Unavailable
from service.store.database import Database, Tx
from tests.scripted import Gate


class TroubledDatabase(Database):
    """`is_away`: nothing works; `answers_lost`: so many commits succeed without anybody hearing of it.

    `commits_refused`: so many do not succeed. Gates hold the next transaction of their kind: writes before they begin,
    commits before they are made, reads after they have read. `passing` so many writes go by the gate first.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_away = False
        self.answers_lost = 0
        self.commits_refused = 0
        self.writes = 0
        self.reads = 0
        self.refused = 0
        self.write_gate: Gate | None = None
        self.commit_gate: Gate | None = None
        self.passing = 0
        self.read_gate: Gate | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        self._answer()
        self.writes += 1
        if self.write_gate and self.passing:
            self.passing -= 1
        elif self.write_gate:
            gate, self.write_gate = self.write_gate, None
            await gate.passed()
        async with super().write() as tx:
            yield tx
            await self._before_commit()
        if self.answers_lost:
            self.answers_lost -= 1
            raise Unavailable("the connection broke after the commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        self._answer()
        self.reads += 1
        gate, self.read_gate = self.read_gate, None
        async with super().read() as tx:
            yield tx
        if gate:
            await gate.passed()

    async def _before_commit(self) -> None:
        gate, self.commit_gate = self.commit_gate, None
        if gate:
            await gate.passed()
        # Those whose answer gets lost come first.
        if self.commits_refused and not self.answers_lost:
            self.commits_refused -= 1
            raise Unavailable("the commit failed")

    def _answer(self) -> None:
        if self.is_away:
            self.refused += 1
            raise Unavailable("the database does not answer")
