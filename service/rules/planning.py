"""From an order to batches: presets, keys, limits."""

from collections.abc import Sequence
from uuid import UUID

from schemas.orders import KINDS, BatchOrder, ModuleBatchOrder, Order
from schemas.plans import BatchPlan
from schemas.problems import FieldProblem
from schemas.states import EntityType, QuestionType
from service.errors import Invalid

_ENTITY_OF = {QuestionType.FLASHCARD: EntityType.FLASHCARD, QuestionType.VOCABULARY: EntityType.VOCABULARY}


def batch_key(module_id: UUID, order: BatchOrder) -> str:
    """CONTRACT 1: unique within a generation."""
    key = f"{module_id}_{order.question_type}_{order.target_count}"
    return f"{key}_{order.difficulty}" if order.difficulty else key


def expand(order: Order, module_ids: Sequence[UUID]) -> list[ModuleBatchOrder]:
    """The order's batches; a preset means its batches for every module."""
    if order.batches is not None:
        return order.batches
    assert order.preset is not None, "Order checks that one of the two is given"
    assert order.target_count is not None, "Order checks that a preset comes with its count"
    return [
        ModuleBatchOrder(
            module_id=module_id, question_type=question_type, difficulty=difficulty, target_count=order.target_count
        )
        for module_id in module_ids
        for question_type, difficulty in KINDS[order.preset]
    ]


def plan(
    orders: Sequence[ModuleBatchOrder],
    module_ids: Sequence[UUID],
    *,
    questions_per_batch_max: int,
    batches_per_generation_max: int,
    fields: Sequence[str] | None = None,
) -> list[BatchPlan]:
    """The batches to create. `fields` are the paths that problems name. Raises Invalid."""
    if len(orders) > batches_per_generation_max:
        raise Invalid.field(
            "batches", f"{len(orders)} batches are too many: at most {batches_per_generation_max} in one generation"
        )
    paths = fields or [f"batches.{position}" for position in range(len(orders))]
    problems: list[FieldProblem] = []
    plans: dict[str, BatchPlan] = {}
    known = set(module_ids)
    for path, order in zip(paths, orders, strict=True):
        key = batch_key(order.module_id, order)
        problem = _problem(path, order, known, questions_per_batch_max)
        if key in plans:
            problem = FieldProblem(field=path, message="is the same batch as another one in this order")
        if problem:
            problems.append(problem)
        plans[key] = BatchPlan(
            module_id=order.module_id,
            batch_key=key,
            question_type=order.question_type,
            difficulty=order.difficulty,
            target_count=order.target_count,
        )
    if problems:
        raise Invalid(problems)
    return list(plans.values())


def entity_type(types: Sequence[QuestionType]) -> EntityType:
    """What a generation makes, from its plan's types."""
    kinds = {_ENTITY_OF.get(question_type, EntityType.QUESTION) for question_type in types}
    return kinds.pop() if len(kinds) == 1 else EntityType.MIXED


def _problem(path: str, order: ModuleBatchOrder, known: set[UUID], count_max: int) -> FieldProblem | None:
    if order.module_id not in known:
        return FieldProblem(
            field=f"{path}.module_id", message=f"{order.module_id} is no module of this quiz, or is left out"
        )
    if order.target_count > count_max:
        message = f"{order.target_count} is too many: at most {count_max} in one batch"
        return FieldProblem(field=f"{path}.target_count", message=message)
    return None


def spread(count: int, weights: Sequence[int], *, size_max: int) -> list[list[int]]:
    """Share `count` by weight (largest remainders), each share cut into sizes of at most `size_max`.

    The sizes of one share differ, since two batches of one module, type and size would have the same key.
    """
    total = sum(weights)
    exact = [count * weight / total for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: shares[index] - exact[index])
    for index in by_remainder[: count - sum(shares)]:
        shares[index] += 1
    return [_cut(share, size_max) for share in shares]


def _cut(share: int, size_max: int) -> list[int]:
    sizes = []
    while share > 0 and size_max > 0:
        sizes.append(min(share, size_max))
        share -= sizes[-1]
        size_max = sizes[-1] - 1
    if share:
        raise Invalid.field("count", f"{share} questions more than one module's batches can hold")
    return sizes
