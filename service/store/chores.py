"""Every SQL statement about periodic work that one process of many must do."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import chores


async def take(tx: Tx, name: str, *, every_seconds: float) -> bool:
    """True for one caller per period: whoever moves the due time on does the work."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    first = insert(chores).values(name=name, due_at=seconds_from_now(every_seconds)).on_conflict_do_nothing()
    if (await tx.execute(first)).rowcount == 1:
        return True
    moved = sa.update(chores).where(chores.c.name == name, chores.c.due_at <= db_now())
    return (await tx.execute(moved.values(due_at=seconds_from_now(every_seconds)))).rowcount == 1
