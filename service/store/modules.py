"""Every SQL statement about modules."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.quizzes import Module, ModuleText
from service.errors import NotFound
from service.store import topics
from service.store.database import Tx
from service.store.tables import modules, quizzes

# Every claimed batch comes through it: it is built once.
_TEXTS = sa.select(modules.c.id, modules.c.name, modules.c.text, modules.c.position).where(
    modules.c.id.in_(sa.bindparam("module_ids", expanding=True))
)


async def insert(tx: Tx, quiz_id: UUID, named_texts: Sequence[tuple[str, str]]) -> list[UUID]:
    """Append modules, given as (name, text), behind those the quiz has. Returns their ids."""
    count = sa.select(sa.func.count()).where(modules.c.quiz_id == quiz_id)
    first = (await tx.execute(count)).scalar_one()
    ids = [uuid4() for _ in named_texts]
    rows = [
        {
            "id": module_id,
            "quiz_id": quiz_id,
            "position": first + offset,
            "name": name,
            "text": text,
            "content_hash": hashlib.sha256(text.encode()).hexdigest(),
        }
        for offset, (module_id, (name, text)) in enumerate(zip(ids, named_texts, strict=True))
    ]
    await tx.execute(sa.insert(modules), rows)
    return ids


async def ids(tx: Tx, quiz_id: UUID) -> list[UUID]:
    found = sa.select(modules.c.id).where(modules.c.quiz_id == quiz_id).order_by(modules.c.position)
    return list((await tx.execute(found)).scalars())


async def texts(tx: Tx, module_ids: Collection[UUID]) -> dict[UUID, ModuleText]:
    """For a worker, which has claims on them."""
    found = await tx.execute(_TEXTS, {"module_ids": list(module_ids)})
    return {row.id: ModuleText(id=row.id, name=row.name, text=row.text, position=row.position) for row in found}


async def load(tx: Tx, owner: str, quiz_id: UUID, module_id: UUID) -> ModuleText:
    """Raises NotFound."""
    found = (
        sa.select(modules.c.id)
        .join(quizzes, quizzes.c.id == modules.c.quiz_id)
        .where(modules.c.id == module_id, quizzes.c.id == quiz_id, quizzes.c.owner == owner)
    )
    if (await tx.execute(found)).first() is None:
        raise NotFound(f"there is no module {module_id} in quiz {quiz_id}")
    return (await texts(tx, [module_id]))[module_id]


async def of_quizzes(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, list[Module]]:
    """The modules of each quiz in their order, without the texts."""
    found = (
        sa.select(modules.c.id, modules.c.quiz_id, modules.c.name, sa.func.length(modules.c.text).label("characters"))
        .where(modules.c.quiz_id.in_(quiz_ids))
        .order_by(modules.c.quiz_id, modules.c.position)
    )
    names = await topics.names(tx, quiz_ids)
    grouped: dict[UUID, list[Module]] = defaultdict(list)
    for row in await tx.execute(found):
        module = Module(id=row.id, name=row.name, characters=row.characters, topics=names.get(row.id, ()))
        grouped[row.quiz_id].append(module)
    return grouped
