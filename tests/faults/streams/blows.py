"""What is done to the processes while clients listen."""

import asyncio
import os
import random
import signal
from collections import Counter
from enum import StrEnum

from tests.faults.sites import Kind, Site
from tests.processes import gone

GONE_SECONDS_MAX = 10.0


class Blow(StrEnum):
    """Killed: `kill -9`. Stopped: SIGTERM, after which a service ends its streams with `bye`."""

    WORKER_KILLED = "worker killed"
    SERVICE_KILLED = "service killed"
    SERVICE_STOPPED = "service stopped"
    VALKEY_KILLED = "valkey killed"
    POSTGRES_KILLED = "postgres killed"


VICTIMS = {
    Blow.WORKER_KILLED: Kind.WORKER,
    Blow.SERVICE_KILLED: Kind.SERVICE,
    Blow.SERVICE_STOPPED: Kind.SERVICE,
    Blow.VALKEY_KILLED: Kind.VALKEY,
    Blow.POSTGRES_KILLED: Kind.POSTGRES,
}
SHARES = {
    Blow.WORKER_KILLED: 3,
    Blow.SERVICE_KILLED: 4,
    Blow.SERVICE_STOPPED: 3,
    Blow.VALKEY_KILLED: 2,
    Blow.POSTGRES_KILLED: 1,
}


class Blows:
    """Counts those that hit somebody."""

    def __init__(self, site: Site, seed: int) -> None:
        self.dealt: Counter[Blow] = Counter()
        self._site = site
        self._chance = random.Random(f"{seed} blows")
        self._kinds = [blow for blow in Blow if VICTIMS[blow] in site.living()]

    async def rain(self, pause_seconds_max: float) -> None:
        """Until it is cancelled. Each kind comes once before any other is drawn by its share."""
        due = self._chance.sample(self._kinds, len(self._kinds))
        while True:
            # A random moment is what this is about.
            await asyncio.sleep(self._chance.uniform(0, pause_seconds_max))
            await self._deal(due.pop() if due else self._drawn())

    def _drawn(self) -> Blow:
        [blow] = self._chance.choices(self._kinds, weights=[SHARES[blow] for blow in self._kinds])
        return blow

    async def _deal(self, blow: Blow) -> None:
        victims = self._site.victims(VICTIMS[blow])
        if not victims:
            return
        victim = self._chance.choice(victims)
        self.dealt[blow] += 1
        if blow is Blow.SERVICE_STOPPED:
            os.kill(victim.pid, signal.SIGTERM)
            return
        os.kill(victim.pid, signal.SIGKILL)
        await gone(victim.pid, within_seconds=GONE_SECONDS_MAX)
        await self._site.revive()
