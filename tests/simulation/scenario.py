"""What happens in one seed: orders, users' steps, crashes, freezes, losses; then calm, and everything must end well."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from schemas.orders import ModuleBatchOrder, NewModule, NewQuiz, Order, RetryOrder
from schemas.states import Priority, QuestionType
from service.api import operations
from service.api.backend import Backend
from service.store import verification
from tests.scripted import TEXT
from tests.simulation import weather
from tests.simulation.chance import governed, quiet_pools
from tests.simulation.parts import Client, SimulatedService, SimulatedWorker
from tests.simulation.processes import VirtualLoop
from tests.simulation.sqlite_inline import installed
from tests.simulation.world import LEASE_SECONDS, World, closing, template

OWNER = "ann"
CALM_SECONDS_MAX = 60.0
"""After the last fault everything must have ended within this time."""

HEAL_SECONDS = 3.0
GENERATIONS_MAX = 3
PLACES = ("BEGIN", "SELECT", "INSERT", "UPDATE", "COMMIT", "COMMITTED", "redis", "call", "answer")
SAFE_PLACES = ("BEGIN", "COMMITTED", "redis", "call", "answer")
"""Nobody holds the write lock there: who stands still with it stops everybody."""


@dataclass(frozen=True)
class Outcome:
    """What one seed gave."""

    seed: int
    problems: tuple[str, ...]
    trace: str
    seconds: float
    steps: int
    calls: int
    held: int


def simulate(seed: int, *, is_loud: bool = False) -> Outcome:
    """Run one seed to its end."""
    template()
    chance = Random(f"world {seed}")
    loop = VirtualLoop(chance)
    with governed(seed, loop.time, is_loud=is_loud), quiet_pools():
        world = World(seed, loop, chance, is_loud=is_loud)
        with installed(world.disk), closing(world, loop.clear):
            driver = world.process("driver")
            try:
                loop.run_until_complete(driver.run(loop, Scenario(world).play()))
            except AssertionError as error:
                world.watch.report(str(error))
            world.watch.judge_end()
            watch = world.watch
            watch.note("end", loop.steps)
            problems, trace, held = tuple(watch.problems), watch.trace, watch.acknowledged
            outcome = Outcome(seed, problems, trace, loop.now, loop.steps, watch.calls, held)
    return outcome


def collect() -> None:
    """Let go of what seeds left behind."""
    with quiet_pools():
        gc.collect()


class Scenario:
    """The driver: it never crashes, and knows what every process is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = world.chance
        self.clients: list[Client] = []
        self.workers: list[SimulatedWorker] = []
        self.orders = 0
        self.started = 0
        self.actions: dict[Callable[[], None], int] = {
            self.order: 8,
            self.retry: 8,
            self.pause: 4,
            self.resume: 6,
            self.cancel: 2,
            self.accept: 3,
            self.crash: 10,
            self.freeze: 4,
            self.stop: 3,
            self.start: 6,
            self.crash_service: 2,
            self.forget: 3,
            self.break_off: 2,
            self.come_back: 5,
            self.lose: 3,
            self.worsen: 3,
            self.change_weather: 4,
        }

    async def play(self) -> None:
        await self.begin()
        for _ in range(self.chance.randint(20, 30)):
            await asyncio.sleep(self.chance.expovariate(3.0))
            [action] = self.chance.choices(list(self.actions), weights=list(self.actions.values()))
            self.world.watch.note("-->", action.__name__)
            action()
        await self.calm_down()
        await self.converge()
        if self.finish_the_rest():
            await self.converge()
        await self.settle()
        await self.verify()

    async def begin(self) -> None:
        self.service = SimulatedService(self.world, "service-1", self.clients)
        self.module_ids: tuple[UUID, ...] = ()
        await self.service.process.run(self.world.loop, self._make_quiz(self.service.backend))
        for _ in range(self.chance.choice((2, 2, 3))):
            self.start()
        self.order()

    async def _make_quiz(self, backend: Backend) -> None:
        modules = [NewModule(name=f"Module {number}", text=TEXT) for number in range(1, 4)]
        quiz = await operations.create_quiz(backend, OWNER, NewQuiz(title="Facts", modules=modules))
        self.quiz_id = quiz.id
        self.module_ids = tuple(module.id for module in quiz.modules)

    # What users do.

    def order(self) -> None:
        if self.orders == GENERATIONS_MAX:
            return
        self.orders += 1
        batches = [
            ModuleBatchOrder(
                module_id=module_id, question_type=QuestionType.SHORT_ANSWER, target_count=self.chance.randint(1, 5)
            )
            for module_id in self.module_ids[: self.chance.randint(1, 3)]
        ]
        wanted = Order(
            batches=batches, instructions=f"order {self.orders}", priority=self.chance.choice(list(Priority))
        )
        self.service.do("order", lambda backend: self._ordered(backend, wanted))

    async def _ordered(self, backend: Backend, wanted: Order) -> None:
        generation = await operations.order(backend, OWNER, self.quiz_id, wanted)
        self.world.watch.ordered(generation.id.hex)

    def retry(self) -> None:
        wanted = RetryOrder()
        failed = self.world.watch.batches("failed")
        if failed and self.chance.random() < 0.4:
            batch_id, generation_id = self.chance.choice(failed)
            wanted = RetryOrder(batch_ids=[UUID(batch_id)])
            target = UUID(generation_id)
        elif (any_one := self._any_generation("partial", "failed")) is None:
            return
        else:
            target = any_one
        for _ in range(self.chance.choice((1, 1, 2))):
            self._retry(target, wanted)

    def _retry(self, target: UUID, wanted: RetryOrder) -> None:
        self.service.do("retry", lambda backend: operations.retry(backend, OWNER, target, wanted, dry_run=False))

    def pause(self) -> None:
        if target := self._any_generation("pending", "processing"):
            self.service.do("pause", lambda backend: operations.pause(backend, OWNER, target))

    def resume(self) -> None:
        if target := self._any_generation("paused"):
            self.service.do("resume", lambda backend: operations.resume(backend, OWNER, target))

    def cancel(self) -> None:
        if target := self._any_generation("pending", "processing", "paused"):
            self.service.do("cancel", lambda backend: operations.cancel(backend, OWNER, target))

    def accept(self) -> None:
        if failed := self.world.watch.batches("failed"):
            self._accept(UUID(self.chance.choice(failed)[0]))

    def _accept(self, target: UUID) -> None:
        self.service.do("accept", lambda backend: operations.accept(backend, OWNER, target))

    def _any_generation(self, *fitting: str) -> UUID | None:
        """Mostly one in a fitting state, if there is one."""
        known = self.world.watch.generations()
        self._meet([UUID(generation_id) for generation_id, _, _ in known])
        wanted = [row for row in known if row[1] in fitting]
        if wanted and self.chance.random() < 0.8:
            known = wanted
        return UUID(self.chance.choice(known)[0]) if known else None

    def _meet(self, generation_ids: list[UUID]) -> None:
        """Two clients watch every generation."""
        for generation_id in generation_ids:
            if all(client.generation_id != generation_id for client in self.clients):
                for _ in range(2):
                    self.clients.append(Client(self.world, generation_id))
                    self.service.watch(self.clients[-1])

    # What goes wrong.

    def crash(self) -> None:
        """At once, or at the n-th place of a kind that the worker comes to."""
        if not (alive := self._alive()):
            return
        worker = self.chance.choice(alive)
        if self.chance.random() < 0.3:
            self._died(worker)
            return
        places = {self.chance.choice(PLACES)}
        self._doom(worker, places, lambda: self._died(worker))

    def _died(self, worker: SimulatedWorker) -> None:
        worker.process.die()
        self.world.watch.note(worker.process.name, "died")
        if self.chance.random() < 0.5:
            self.service.release(worker)

    def freeze(self) -> None:
        """For three leases; with luck at a place where it hurts."""
        if alive := self._alive():
            worker = self.chance.choice(alive)
            loop = self.world.loop
            self._doom(worker, set(SAFE_PLACES), lambda: worker.process.freeze(loop.now, 3 * LEASE_SECONDS))

    def _doom(self, worker: SimulatedWorker, places: set[str], act: Callable[[], None]) -> None:
        left = self.chance.randint(1, 6)

        def doom(place: str) -> bool:
            nonlocal left
            left -= place in places
            if left > 0:
                return False
            act()
            return True

        worker.process.doom = doom

    def stop(self) -> None:
        alive = self._alive()
        if len(alive) > 1:
            worker = self.chance.choice(alive)
            worker.is_stopping = True
            worker.process.run(self.world.loop, worker.stop())

    def start(self) -> None:
        if len(self._alive()) < 3:
            self.started += 1
            self.workers.append(SimulatedWorker(self.world, f"worker-{self.started}"))

    def crash_service(self) -> None:
        self.service.process.die()
        self.started += 1
        self.service = SimulatedService(self.world, f"service-{self.started}", self.clients)

    def forget(self) -> None:
        self.world.broker.forget_all()

    def break_off(self) -> None:
        self.world.broker.break_off()

    def come_back(self) -> None:
        self.world.broker.come_back()

    def lose(self) -> None:
        self.world.broker.lost_share = self.chance.choice((0.0, 0.3, 1.0))

    def worsen(self) -> None:
        self.world.trouble = self.chance.choice((0.0, 0.01, 0.05))

    def change_weather(self) -> None:
        self.world.weather.change()

    def _alive(self) -> list[SimulatedWorker]:
        return [worker for worker in self.workers if worker.is_alive]

    # How it must end.

    async def calm_down(self) -> None:
        self.world.watch.note("calm")
        self.world.trouble = 0.0
        self.world.broker.lost_share = 0.0
        self.world.broker.come_back()
        self.world.weather.now = weather.CALM
        for worker in self._alive():
            worker.process.doom = None
        self.start_enough()

    def start_enough(self) -> None:
        """What a supervisor does."""
        while len(self._alive()) < 2:
            self.start()

    async def converge(self) -> None:
        watch = self.world.watch
        deadline = self.world.loop.now + CALM_SECONDS_MAX
        while (open_generations := watch.open_generations()) or self.service.unanswered:
            if self.world.loop.now > deadline:
                watch.report(f"not ended after {CALM_SECONDS_MAX} calm seconds: {watch.open_batches()}")
                return
            for generation_id, state in open_generations:
                if state == "paused":
                    self._resume(UUID(generation_id))
            self.start_enough()
            await asyncio.sleep(1.0)

    def finish_the_rest(self) -> bool:
        """Users retry what fell short, or accept it."""
        failed = self.world.watch.batches("failed")
        for batch_id, generation_id in failed:
            if self.chance.random() < 0.3:
                self._accept(UUID(batch_id))
            else:
                self._retry(UUID(generation_id), RetryOrder())
        return bool(failed)

    async def settle(self) -> None:
        """Every client hears of everything."""
        watch = self.world.watch
        self._any_generation()
        await asyncio.sleep(HEAL_SECONDS)
        heads = {generation_id: seq for generation_id, _, seq in watch.generations()}
        for client in self.clients:
            if client.seq != heads[client.generation_id.hex]:
                watch.report(f"a client heard {client.seq} events of {heads[client.generation_id.hex]}")

    def _resume(self, generation_id: UUID) -> None:
        self.service.do("resume", lambda backend: operations.resume(backend, OWNER, generation_id))

    async def verify(self) -> None:
        async with self.service.backend.database.read() as tx:
            report = await verification.verify(tx, None)
        for finding in report.findings:
            self.world.watch.report(f"verify: {finding.check}: {finding.subject}: {finding.message}")
