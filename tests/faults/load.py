"""Orders that keep a system busy, each watched by a client of its own."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from tests.faults.witness import AGAIN_SECONDS, Witness, client, order
from tests.journeys.orders import module

TARGETS = {"multiple_choice": 4, "fill_in_blank": 3}
MODULES = [module("Leaves", ("multiple_choice", 4)), module("Roots", ("fill_in_blank", 3))]


class Load:
    """`in_flight` generations at any time, until `finish`."""

    def __init__(self, url: str, in_flight: int, modules: Sequence[dict[str, Any]] = MODULES) -> None:
        self.witnesses: list[Witness] = []
        self._url = url
        self._modules = list(modules)
        self._is_enough = False
        self._number = 0
        self._customers = [asyncio.create_task(self._be_customer()) for _ in range(in_flight)]

    async def finish(self, *, within_seconds: float) -> None:
        """Order no more; returns when everything has ended. Raises TimeoutError, and whatever a client met."""
        self._is_enough = True
        try:
            async with asyncio.timeout(within_seconds):
                await asyncio.gather(*self._customers)
        finally:
            for customer in self._customers:
                customer.cancel()

    async def _be_customer(self) -> None:
        while not self._is_enough:
            self._number += 1
            witness = Witness(self._url, await order(self._url, self._modules, title=f"Quiz {self._number}"))
            self.witnesses.append(witness)
            await witness.follow()
            witness.saved = await _saved(self._url, witness.generation_id)


async def _saved(url: str, generation_id: str) -> dict[str, Any]:
    """The questions that the API returns: their ids and contents."""
    async with client(url, timeout=httpx.Timeout(10)) as http:
        while True:
            try:
                response = (await http.get(f"/api/generations/{generation_id}/questions")).raise_for_status()
                return {question["id"]: question["content"] for question in response.json()["items"]}
            except httpx.HTTPError:
                # A service that is away does not call when it is back.
                await asyncio.sleep(AGAIN_SECONDS)
