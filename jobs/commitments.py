"""What the calls in flight will probably cost, by generation, on this worker."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Commitments:
    """Money that is not spent yet, but as good as."""

    def __init__(self) -> None:
        self._expected: dict[UUID, list[float]] = defaultdict(list)
        self._freed: dict[UUID, asyncio.Event] = {}

    def usd(self, generation_id: UUID) -> float | None:
        """None: no call of it is in flight."""
        expected = self._expected.get(generation_id)
        return sum(expected) if expected else None

    @contextmanager
    def of(self, generation_id: UUID, expected_usd: float) -> Iterator[None]:
        """As long as the block runs, a call of this cost is in flight."""
        self._expected[generation_id].append(expected_usd)
        try:
            yield
        finally:
            self._expected[generation_id].remove(expected_usd)
            if not self._expected[generation_id]:
                del self._expected[generation_id]
            if freed := self._freed.pop(generation_id, None):
                freed.set()

    async def freed(self, generation_id: UUID) -> None:
        """Returns when the next call of the generation has ended."""
        await self._freed.setdefault(generation_id, asyncio.Event()).wait()
