"""One event-stream client: it comes back as an EventSource does, and checks everything that it hears."""

import asyncio
import json
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from tests.faults.streams.connection import Address, Answer, Connection
from tests.faults.streams.findings import Findings, Wrong
from tests.faults.streams.logs import Entry, Log
from tests.faults.streams.reader import Block
from tests.faults.streams.talk import OK, Talk
from tests.system import TERMINAL

AGAIN_MILLISECONDS = 1000
SILENT_SECONDS_MAX = 45.0
"""Three heartbeats."""
RETRY_LINE = b"1000"
TIME_SCALE = 0.1
"""Of all waits: a test is in more of a hurry than a browser."""
SPREAD = 0.5
NO_MORE = 204
EARLY_SHARE, PATIENT_SHARE = 0.25, 0.3


class Start(StrEnum):
    """`fresh`: with a snapshot. `whole`: the log from its beginning. `page`: after what its page has shown, by a query
    that stays in its address. `query`: as `page`, and as it can send no header, its query always has the newest id.
    """

    FRESH = "fresh"
    WHOLE = "whole"
    PAGE = "page"
    QUERY = "query"


@dataclass(frozen=True)
class Manner:
    """`is_early`: adopts an id as soon as its line is there. `is_patient`: does not close at the end; 204 stops it."""

    start: Start
    is_early: bool
    is_patient: bool

    @classmethod
    def drawn(cls, chance: random.Random) -> Self:
        return cls(
            chance.choice(list(Start)), chance.random() < EARLY_SHARE, is_patient=chance.random() < PATIENT_SHARE
        )


@dataclass
class Tally:
    """Of all clients."""

    connections: int = 0
    refused: int = 0
    answers: int = 0
    unanswered: int = 0
    """Given up: nothing came."""
    events: int = 0
    snapshots: int = 0
    farewells: int = 0
    cut_before_empty_line: int = 0
    """An early client was cut when it had adopted the id, and had every line but the empty one."""
    told_no_more: int = 0


class Follower:
    """Follows one log to its end. `seen` is the last event that it has taken, `adopted` what it asks to go on after."""

    def __init__(self, address: Address, log: Log, manner: Manner, tally: Tally, findings: Findings) -> None:
        self.log = log
        self.manner = manner
        self.seen: int | None = None if manner.start is Start.FRESH else 0
        self.has_heard_end = False
        self.is_done = False
        self.is_early = manner.is_early
        self._address = address
        self._tally = tally
        self._findings = findings
        self._adopted: int | None = None
        self._shown = 0
        self._skipped: set[int] = set()
        self._again_milliseconds = AGAIN_MILLISECONDS
        if manner.start in {Start.PAGE, Start.QUERY}:
            self._shown = self.seen = log.head
            self.has_heard_end = self._shown > 0 and log.entries[self._shown].is_terminal

    def __str__(self) -> str:
        return f"{self.log.generation_id} {self.manner}: seen {self.seen}"

    async def follow(self, chance: random.Random) -> None:
        while not self.is_done:
            await self._connect()
            if not self.is_done:
                wait = self._again_milliseconds / 1000 * TIME_SCALE
                await asyncio.sleep(wait * chance.uniform(1 - SPREAD, 1 + SPREAD))

    async def _connect(self) -> None:
        self._tally.connections += 1
        talk = Talk(self)
        try:
            connection = await Connection.open(self._address, self._path(), self._headers(), talk)
        except OSError:
            self._tally.refused += 1
            return
        if not await connection.over(silent_seconds=SILENT_SECONDS_MAX):
            self._note_silence(talk)
        self._tally.cut_before_empty_line += talk.end(is_whole=connection.is_whole)
        if talk.has_begun and connection.is_whole and not (talk.has_farewell or self.has_heard_end):
            self.found(Wrong.WORDLESS_END, f"for {self._path()} {self._headers()}")

    def _note_silence(self, talk: Talk) -> None:
        """A stream that has begun must show that it lives; one that has not may wait for its turn."""
        if talk.has_begun:
            self.found(Wrong.SILENCE, f"nothing for {SILENT_SECONDS_MAX:g} s")
        else:
            self._tally.unanswered += 1

    def _path(self) -> str:
        path = f"/api/generations/{self.log.generation_id}/events"
        match self.manner.start:
            case Start.FRESH:
                return path
            case Start.WHOLE:
                return f"{path}?from=0"
            case Start.PAGE:
                return f"{path}?last_event_id={self._shown}"
            case Start.QUERY:
                return f"{path}?last_event_id={self._shown if self._adopted is None else self._adopted}"

    def _headers(self) -> dict[str, str]:
        has_header = self._adopted is not None and self.manner.start is not Start.QUERY
        return {"Last-Event-ID": str(self._adopted)} if has_header else {}

    def found(self, wrong: Wrong, words: str) -> None:
        self._findings.add(wrong, f"{self}: {words}")

    def hear_answer(self, answer: Answer) -> None:
        self._tally.answers += 1
        if answer.status == NO_MORE:
            self._tally.told_no_more += 1
            self.is_done = True
            if not self.has_heard_end:
                self.found(Wrong.EARLY_END, "204")
        elif answer.status != OK:
            self.found(Wrong.STATUS, f"{answer.status} for {self._path()} {self._headers()}")
        elif not answer.content_type.startswith("text/event-stream"):
            self.found(Wrong.FORM, f"content-type {answer.content_type}")

    def hear_heartbeat(self, block: Block, *, is_first: bool) -> None:
        if block.names != (b"event", *_retry_line(is_first), b"data"):
            self.found(Wrong.FORM, f"a heartbeat is {block}")

    def hear_farewell(self, block: Block) -> None:
        self._tally.farewells += 1
        if block.names != (b"event", b"retry", b"data"):
            self.found(Wrong.FORM, f"a farewell is {block}")
            return
        self._again_milliseconds = int(block.value(b"retry") or 0)

    def hear(self, block: Block, *, is_first: bool) -> None:
        """What has an id."""
        seq, data, name = block.value(b"id"), block.value(b"data"), block.value(b"event")
        if block.names != (b"event", *_retry_line(is_first), b"data", b"id"):
            self.found(Wrong.FORM, f"{block}")
        if seq is None or data is None or name is None:
            return
        if is_first:
            self._again_milliseconds = AGAIN_MILLISECONDS
            if block.value(b"retry") != RETRY_LINE:
                self.found(Wrong.FORM, f"{block}")
        if self.has_heard_end:
            self.found(Wrong.NO_END, f"{block} after the end")
        if name == b"resync":
            self.found(Wrong.RESYNC, f"after {self._adopted}, for {self._path()}")
        if name in {b"snapshot", b"resync"}:
            self._take_snapshot(int(seq), data)
        else:
            self._take(int(seq), Entry(name, data))

    def adopt(self, seq: int) -> None:
        """An early client, in the middle of a block."""
        self._adopted = seq

    def _take_snapshot(self, seq: int, data: bytes) -> None:
        self._tally.snapshots += 1
        if self.seen is not None:
            self.found(Wrong.SNAPSHOT, f"with id {seq}")
        shown = json.loads(data)
        if shown["last_event_id"] != seq or shown["id"] != self.log.generation_id:
            self.found(Wrong.SNAPSHOT, f"of {shown['id']} {shown['last_event_id']} with id {seq}")
        self.log.snapshots[data] = seq
        self.seen = self._adopted = seq
        if shown["status"] in TERMINAL:
            self._end()

    def _take(self, seq: int, entry: Entry) -> None:
        self._tally.events += 1
        self._check_place(seq)
        is_new = seq not in self.log.entries
        if not self.log.hear(seq, entry):
            self.found(Wrong.CHANGED, f"{seq} is {entry}, others heard {self.log.entries[seq]}")
        if is_new:
            self._check_data(seq, entry)
        self.seen = self._adopted = max(seq, self.seen or 0)
        if entry.is_terminal:
            self._end()

    def _check_place(self, seq: int) -> None:
        if self.seen is None:
            self.found(Wrong.SNAPSHOT, f"none before {seq}")
        elif seq in self._skipped:
            self._skipped.remove(seq)
            self.found(Wrong.ORDER, f"{seq} comes late")
        elif seq <= self.seen:
            self.found(Wrong.DUPLICATE, f"{seq} comes again")
        elif seq > self.seen + 1:
            self._skipped.update(range(self.seen + 1, seq))
            self.found(Wrong.GAP, f"then comes {seq}")

    def _check_data(self, seq: int, entry: Entry) -> None:
        told = json.loads(entry.data)
        if (told["generation_id"], told["seq"], told["type"]) != (self.log.generation_id, seq, entry.type.decode()):
            self.found(Wrong.FORM, f"{seq} is {entry}")
        if not entry.data.isascii():
            self.found(Wrong.FORM, f"{seq} is not ASCII: {entry}")

    def _end(self) -> None:
        self.has_heard_end = True
        if not self.manner.is_patient:
            self.is_done = True


def _retry_line(is_first: bool) -> tuple[bytes, ...]:
    """Only what comes first tells how soon to come back."""
    return (b"retry",) if is_first else ()
