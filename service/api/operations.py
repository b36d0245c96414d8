"""What users can set going, for the HTTP interface and the pages alike: the transaction, then queue and broadcast."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from schemas.generations import Batch, Generation, RetryAnswer
from schemas.modules import ModuleChange, ModuleMerge
from schemas.orders import NewQuiz, Order, OrderOptions, QuizOrder, RetryOrder
from schemas.quizzes import Quiz
from service import outbox
from service.api import orders
from service.api.backend import Backend
from service.rules import planning
from service.store import control, generations, materials, modules, quizzes, steps


async def create_quiz(backend: Backend, owner: str, order: NewQuiz) -> Quiz:
    async with backend.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=owner, title=order.title, language=order.language)
        await modules.insert(tx, quiz_id, [(module.name, module.text) for module in order.modules])
        return await quizzes.load(tx, owner, quiz_id)


async def upload(
    backend: Backend, owner: str, *, title: str, language: str, files: Sequence[tuple[str, bytes]]
) -> Quiz:
    """A quiz whose modules come out of files, given as (name, content), by a job."""
    async with backend.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=owner, title=title, language=language)
        await materials.insert(tx, quiz_id, files)
        quiz = await quizzes.load(tx, owner, quiz_id)
    await outbox.try_to_carry(backend.database, backend.queue)
    return quiz


async def add_material(backend: Backend, owner: str, quiz_id: UUID, files: Sequence[tuple[str, bytes]]) -> Quiz:
    """Files, given as (name, content), whose modules come behind those the quiz has. Raises NotFound."""
    async with backend.database.write() as tx:
        await quizzes.require(tx, owner, quiz_id)
        await quizzes.lock(tx, quiz_id)
        await materials.insert(tx, quiz_id, files)
        quiz = await quizzes.load(tx, owner, quiz_id)
    await outbox.try_to_carry(backend.database, backend.queue)
    return quiz


async def change_modules(backend: Backend, owner: str, quiz_id: UUID, changes: Mapping[UUID, ModuleChange]) -> Quiz:
    """All of them, or none. Raises NotFound."""
    async with backend.database.write() as tx:
        for module_id, change in changes.items():
            await modules.load(tx, owner, quiz_id, module_id)
            if change.name is not None:
                await modules.rename(tx, quiz_id, module_id, change.name)
            if change.is_left_out is not None:
                await modules.leave_out(tx, quiz_id, module_id, is_left_out=change.is_left_out)
        return await quizzes.load(tx, owner, quiz_id)


async def merge_modules(backend: Backend, owner: str, quiz_id: UUID, wanted: ModuleMerge) -> Quiz:
    """Raises NotFound, StateConflict."""
    async with backend.database.write() as tx:
        await quizzes.require(tx, owner, quiz_id)
        await quizzes.lock(tx, quiz_id)
        await modules.merge(tx, quiz_id, wanted.module_ids, wanted.name)
        return await quizzes.load(tx, owner, quiz_id)


async def order(backend: Backend, owner: str, quiz_id: UUID, wanted: Order) -> Generation:
    """Raises NotFound, Invalid, StateConflict."""
    async with backend.database.write() as tx:
        module_ids = await orders.ready_modules(tx, owner, quiz_id)
        plans = orders.planned(backend, planning.expand(wanted, module_ids), module_ids, wanted)
        generation_id = await steps.order(tx, quiz_id, owner, plans, wanted)
        generation = await generations.load(tx, owner, generation_id)
    await outbox.try_to_carry(backend.database, backend.queue, generation_id=generation_id)
    return generation


async def order_quiz(backend: Backend, owner: str, wanted: QuizOrder) -> Generation:
    """Quiz and order in one: both, or nothing. Raises Invalid."""
    async with backend.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=owner, title=wanted.title, language=wanted.language)
        module_ids = await modules.insert(tx, quiz_id, [(module.name, module.text) for module in wanted.modules])
        wishes, fields = orders.spread(wanted, module_ids)
        plans = orders.planned(backend, wishes, module_ids, wanted, fields=fields)
        options = OrderOptions.model_validate({name: getattr(wanted, name) for name in OrderOptions.model_fields})
        generation_id = await steps.order(tx, quiz_id, owner, plans, options)
        generation = await generations.load(tx, owner, generation_id)
    await outbox.try_to_carry(backend.database, backend.queue, generation_id=generation_id)
    return generation


async def retry(backend: Backend, owner: str, generation_id: UUID, wanted: RetryOrder, *, dry_run: bool) -> RetryAnswer:
    """Put failed batches back. Raises NotFound, Invalid, StateConflict."""
    async with backend.database.write() as tx:
        await generations.require(tx, owner, generation_id)
        await orders.require_price(backend, tx, generation_id, wanted)
        retried, wakeup = await steps.retry(
            tx,
            generation_id,
            wanted.batch_ids,
            model=wanted.model,
            cost_max_usd=wanted.cost_max_usd,
            dry_run=dry_run,
        )
        generation = await generations.load(tx, owner, generation_id)
    await backend.broadcast.announce(wakeup)
    if not dry_run:
        await outbox.try_to_carry(backend.database, backend.queue, generation_id=generation_id)
    return RetryAnswer(generation=generation, retried=tuple(retried), untouched=len(generation.batches) - len(retried))


async def pause(backend: Backend, owner: str, generation_id: UUID) -> Generation:
    """Raises NotFound, StateConflict."""
    async with backend.database.write() as tx:
        await generations.require(tx, owner, generation_id)
        wakeup = await control.pause(tx, generation_id)
        generation = await generations.load(tx, owner, generation_id)
    await backend.broadcast.announce_stopped(generation_id)
    await backend.broadcast.announce(wakeup)
    return generation


async def resume(backend: Backend, owner: str, generation_id: UUID, *, cost_max_usd: float | None = None) -> Generation:
    """`cost_max_usd`: a new limit. Raises NotFound, Invalid, StateConflict."""
    async with backend.database.write() as tx:
        await generations.require(tx, owner, generation_id)
        await orders.require_price(backend, tx, generation_id, RetryOrder(cost_max_usd=cost_max_usd))
        wakeup = await control.resume(tx, generation_id, cost_max_usd=cost_max_usd)
        generation = await generations.load(tx, owner, generation_id)
    await backend.broadcast.announce(wakeup)
    await outbox.try_to_carry(backend.database, backend.queue, generation_id=generation_id)
    return generation


async def accept(backend: Backend, owner: str, batch_id: UUID, *, generation_id: UUID | None = None) -> Batch:
    """Raises NotFound, also for a batch of another generation than the one named; StateConflict."""
    async with backend.database.write() as tx:
        batch, wakeup = await control.accept(tx, owner, batch_id, generation_id=generation_id)
    await backend.broadcast.announce(wakeup)
    return batch


async def cancel(backend: Backend, owner: str, generation_id: UUID) -> Generation:
    """Raises NotFound, StateConflict."""
    async with backend.database.write() as tx:
        await generations.require(tx, owner, generation_id)
        wakeup = await steps.cancel(tx, generation_id)
        generation = await generations.load(tx, owner, generation_id)
    await backend.broadcast.announce_stopped(generation_id)
    await backend.broadcast.announce(wakeup)
    return generation
