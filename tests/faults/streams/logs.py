"""What all clients together have heard of each generation's log, and whether it is what SQL holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from schemas.events import TERMINAL_TYPES
from service.store.database import Database
from service.store.tables import events, generations
from tests.faults.streams.findings import Findings, Wrong


@dataclass(frozen=True)
class Entry:
    """An event's type and data, byte by byte."""

    type: bytes
    data: bytes

    @property
    def is_terminal(self) -> bool:
        return self.type.decode() in TERMINAL_TYPES


@dataclass
class Log:
    """`entries`: as whoever was first heard them; everybody else must hear the same."""

    generation_id: str
    entries: dict[int, Entry] = field(default_factory=dict)
    snapshots: dict[bytes, int] = field(default_factory=dict)
    """Their data, and the id that came with it."""

    @property
    def head(self) -> int:
        """The newest event that anybody has heard."""
        return max(self.entries, default=0)

    def hear(self, seq: int, entry: Entry) -> bool:
        """Whether it is what the others have heard."""
        return self.entries.setdefault(seq, entry) == entry


async def compare(database: Database, logs: Sequence[Log], findings: Findings) -> dict[str, int]:
    """Look for differences between what was heard and what is stored; returns how long each log is."""
    lengths = {}
    for log in logs:
        stored = await _stored(database, log, findings)
        lengths[log.generation_id] = len(stored)
        for seq, entry in log.entries.items():
            if stored.get(seq) != entry:
                findings.add(Wrong.CHANGED, f"{log.generation_id} {seq}: heard {entry}, stored {stored.get(seq)}")
        for data, seq in log.snapshots.items():
            _compare_snapshot(log, json.loads(data), seq, stored, findings)
    return lengths


async def _stored(database: Database, log: Log, findings: Findings) -> dict[int, Entry]:
    generation_id = UUID(log.generation_id)
    found = sa.select(events.c.seq, events.c.type, events.c.data).where(events.c.generation_id == generation_id)
    async with database.read() as tx:
        rows = (await tx.execute(found.order_by(events.c.seq))).all()
        last = (await tx.execute(sa.select(generations.c.last_seq).where(generations.c.id == generation_id))).scalar()
    if [row.seq for row in rows] != list(range(1, (last or 0) + 1)):
        findings.add(Wrong.LOG, f"{log.generation_id}: numbered {[row.seq for row in rows]}, last {last}")
    return {row.seq: Entry(row.type.encode(), row.data.encode()) for row in rows}


def _compare_snapshot(
    log: Log, shown: Mapping[str, Any], seq: int, stored: Mapping[int, Entry], findings: Findings
) -> None:
    """A snapshot shows the sums that the event with its id tells."""
    batches = shown["batches"]
    sums = {
        "target": sum(batch["target_count"] for batch in batches),
        "saved": sum(batch["saved_count"] for batch in batches),
        "held": sum(batch["held_count"] for batch in batches),
        "batches": len(batches),
        "batches_completed": sum(batch["status"] == "completed" for batch in batches),
        "batches_failed": sum(batch["status"] == "failed" for batch in batches),
    }
    told = json.loads(stored[seq].data)["totals"] if seq in stored else {**dict.fromkeys(sums, 0)}
    if seq and sums != told:
        findings.add(Wrong.SNAPSHOT, f"{log.generation_id}: {sums} with id {seq}, which tells {told}")
