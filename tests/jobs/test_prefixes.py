"""That only one call pays for a module's text."""

import asyncio
from uuid import uuid4

from jobs.prefixes import CHARACTERS_MIN, Prefixes
from jobs.providers.base import Source
from tests.scripted import Gate
from tests.workbench import eventually

LONG = Source(module_id=uuid4(), name="Long", text="x" * CHARACTERS_MIN, language="en")
SHORT = LONG.model_copy(update={"text": "x"})


class Calls:
    """Calls that are answered when their gate is opened."""

    def __init__(self, prefixes: Prefixes) -> None:
        self.begun = 0
        self.tasks: list[asyncio.Task[None]] = []
        self._prefixes = prefixes

    def start(self, source: Source, gate: Gate, *, fails: bool = False, model: str = "model") -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._call(source, gate, fails, model)))
        return self.tasks[-1]

    async def _call(self, source: Source, gate: Gate, fails: bool, model: str) -> None:
        async with self._prefixes.turn(source, model) as is_answered:
            self.begun += 1
            await gate.passed()
            if fails:
                raise ValueError("it failed before its answer began")
            is_answered()


async def test_others_wait_until_the_first_answer_about_a_module_begins() -> None:
    calls, gate = Calls(Prefixes()), Gate()
    for _ in range(5):
        calls.start(LONG, gate)
    await gate.reached.wait()
    await asyncio.sleep(0)
    assert calls.begun == 1
    gate.opened.set()
    await asyncio.gather(*calls.tasks)
    assert calls.begun == 5


async def test_once_it_is_cached_nobody_waits() -> None:
    calls, opened, held = Calls(Prefixes()), Gate(), Gate()
    opened.opened.set()
    await calls.start(LONG, opened)
    for _ in range(3):
        calls.start(LONG, held)
    await eventually(lambda: calls.begun == 4)
    held.opened.set()
    await asyncio.gather(*calls.tasks)


async def test_a_first_call_that_fails_or_is_cancelled_lets_the_next_one_be_first() -> None:
    calls, gates = Calls(Prefixes()), [Gate(), Gate(), Gate()]
    failing = calls.start(LONG, gates[0], fails=True)
    await gates[0].reached.wait()
    cancelled = calls.start(LONG, gates[1])
    last = calls.start(LONG, gates[2])
    gates[0].opened.set()
    await asyncio.wait({failing})
    assert isinstance(failing.exception(), ValueError)
    await gates[1].reached.wait()
    assert calls.begun == 2
    cancelled.cancel()
    await gates[2].reached.wait()
    gates[2].opened.set()
    await last


async def test_short_modules_and_other_models_wait_for_nobody() -> None:
    calls, gate = Calls(Prefixes()), Gate()
    calls.start(LONG, gate)
    calls.start(LONG, gate, model="another")
    calls.start(SHORT, gate)
    calls.start(SHORT, gate)
    await eventually(lambda: calls.begun == 4)
    gate.opened.set()
    await asyncio.gather(*calls.tasks)
