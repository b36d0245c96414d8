"""Batches change state by compare-and-set, under their fence, by the database's clock."""

import pytest
import sqlalchemy as sa

from schemas.generations import BatchError
from schemas.plans import Tally
from schemas.states import BatchState, ErrorCode, Priority, QuestionType
from service.errors import LeaseLost
from service.store import batches, steps
from service.store.database import Database, db_now
from tests import factories
from tests.factories import LEASE_SECONDS, OWNER, WORKER

EXPIRED = -1.0
"""A lease that has run out when it is written."""


async def take(database: Database, batch_id: object, fence: int, *, lease_seconds: float = LEASE_SECONDS) -> bool:
    assert hasattr(batch_id, "int"), "batch ids are UUIDs"
    async with database.write() as tx:
        return await batches.claim(tx, batch_id, fence, worker=WORKER, lease_seconds=lease_seconds)  # type: ignore[arg-type]
