"""What an order comes to: its batches, what it would cost, and whether a limit of its cost can be held."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from schemas.estimates import Estimate
from schemas.orders import ModuleBatchOrder, Order, OrderOptions, QuizOrder, RetryOrder
from schemas.plans import BatchPlan
from service.api.backend import Backend
from service.errors import Invalid, StateConflict
from service.rules import estimate as rules
from service.rules import planning, spending
from service.store import calls, generations, materials, modules, quizzes
from service.store.database import Tx


async def estimate(backend: Backend, owner: str, quiz_id: UUID, wanted: Order) -> Estimate:
    """What the order would cost and how long it would take. Raises what `order` raises, and orders nothing."""
    async with backend.database.read() as tx:
        module_ids = await ready_modules(tx, owner, quiz_id)
        plans = planned(backend, planning.expand(wanted, module_ids), module_ids, wanted)
        quiz = await quizzes.load(tx, owner, quiz_id)
        known = await calls.experience(tx, _model(backend, wanted))
    lengths = {module.id: module.characters for module in quiz.modules}
    return rules.of_order(plans, lengths, _surroundings(backend, wanted), known)


async def estimate_quiz(backend: Backend, wanted: QuizOrder) -> Estimate:
    """Like `estimate`, for a quiz that does not exist and will not by this. Raises Invalid."""
    module_ids = [uuid4() for _ in wanted.modules]
    orders, fields = spread(wanted, module_ids)
    plans = planned(backend, orders, module_ids, wanted, fields=fields)
    async with backend.database.read() as tx:
        known = await calls.experience(tx, _model(backend, wanted))
    lengths = {module_id: len(module.text) for module_id, module in zip(module_ids, wanted.modules, strict=True)}
    return rules.of_order(plans, lengths, _surroundings(backend, wanted), known)


async def ready_modules(tx: Tx, owner: str, quiz_id: UUID) -> Sequence[UUID]:
    """The modules that can be asked about. Raises NotFound, StateConflict."""
    await quizzes.require(tx, owner, quiz_id)
    module_ids = await modules.ids(tx, quiz_id)
    if await materials.are_waiting(tx, quiz_id):
        raise StateConflict(f"quiz {quiz_id} can't be ordered from yet: its material is being read")
    if not module_ids:
        raise StateConflict(f"quiz {quiz_id} has no modules to ask about")
    return module_ids


def planned(
    backend: Backend,
    orders: Sequence[ModuleBatchOrder],
    module_ids: Sequence[UUID],
    wanted: OrderOptions,
    *,
    fields: Sequence[str] | None = None,
) -> list[BatchPlan]:
    """Raises Invalid, also for a cost limit that nobody could hold."""
    settings = backend.settings
    plans = planning.plan(
        orders,
        module_ids,
        questions_per_batch_max=settings.questions_per_batch_max,
        batches_per_generation_max=settings.batches_per_generation_max,
        fields=fields,
    )
    if wanted.cost_max_usd is not None:
        _require_prices(backend, wanted.model)
    return plans


def _require_prices(backend: Backend, *models: str | None) -> None:
    """Of all models that may be asked, or nobody could hold a limit of the cost. Raises Invalid."""
    settings = backend.settings
    if settings.resolved_provider == "offline":
        return
    first = next((model for model in models if model), settings.model)
    problem = spending.unpriced((first, *settings.models[1:]))
    if problem:
        raise Invalid.field("cost_max_usd", problem)


async def require_price(backend: Backend, tx: Tx, generation_id: UUID, wanted: RetryOrder) -> None:
    """A retry or a resume under a limit, old or new. Raises Invalid."""
    is_limited = wanted.cost_max_usd is not None or (await calls.spending(tx, generation_id)).cost_max_usd is not None
    if is_limited:
        _require_prices(backend, wanted.model, await generations.model_of(tx, generation_id))


def _model(backend: Backend, wanted: OrderOptions) -> str:
    return wanted.model or backend.settings.model


def _surroundings(backend: Backend, wanted: OrderOptions) -> rules.Surroundings:
    settings = backend.settings
    return rules.Surroundings(
        provider=settings.resolved_provider,
        is_metered=settings.resolved_provider != "offline",
        model=_model(backend, wanted),
        calls_max=settings.llm_calls_max,
    )


def spread(wanted: QuizOrder, module_ids: Sequence[UUID]) -> tuple[list[ModuleBatchOrder], list[str]]:
    """Each module's batches under its new id, and the path that a problem with each would name."""
    orders, fields = [], []
    for position, (module, module_id) in enumerate(zip(wanted.modules, module_ids, strict=True)):
        for place, batch in enumerate(module.batches):
            orders.append(
                ModuleBatchOrder(
                    module_id=module_id,
                    question_type=batch.question_type,
                    difficulty=batch.difficulty,
                    target_count=batch.target_count,
                )
            )
            fields.append(f"modules.{position}.batches.{place}")
    return orders, fields
