"""Every SQL statement about modules."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.materials import ExtractedModule
from schemas.quizzes import Module, ModuleText
from service.errors import NotFound, StateConflict
from service.store import topics
from service.store.database import Tx
from service.store.tables import batches, modules, quizzes

# Every claimed batch comes through it: it is built once.
_TEXTS = sa.select(modules.c.id, modules.c.name, modules.c.text, modules.c.position).where(
    modules.c.id.in_(sa.bindparam("module_ids", expanding=True))
)


async def insert(tx: Tx, quiz_id: UUID, named_texts: Sequence[tuple[str, str]]) -> list[UUID]:
    """Append modules, given as (name, text), behind those the quiz has. Returns their ids."""
    return await insert_extracted(tx, quiz_id, [ExtractedModule(name=name, text=text) for name, text in named_texts])


async def insert_extracted(tx: Tx, quiz_id: UUID, found: Sequence[ExtractedModule]) -> list[UUID]:
    """Append modules behind those the quiz has. Returns their ids."""
    last = sa.select(sa.func.coalesce(sa.func.max(modules.c.position), -1)).where(modules.c.quiz_id == quiz_id)
    first = (await tx.execute(last)).scalar_one() + 1
    ids = [uuid4() for _ in found]
    rows = [
        {
            "id": module_id,
            "quiz_id": quiz_id,
            "position": first + offset,
            "name": module.name,
            "text": module.text,
            "content_hash": _hash(module.text),
            "is_left_out": module.is_left_out,
        }
        for offset, (module_id, module) in enumerate(zip(ids, found, strict=True))
    ]
    await tx.execute(sa.insert(modules), rows)
    return ids


async def ids(tx: Tx, quiz_id: UUID) -> list[UUID]:
    """Of those that can be asked about, in their order."""
    found = sa.select(modules.c.id).where(modules.c.quiz_id == quiz_id, modules.c.is_left_out.is_(sa.false()))
    found = found.order_by(modules.c.position)
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


async def rename(tx: Tx, quiz_id: UUID, module_id: UUID, name: str) -> None:
    await tx.execute(_one(quiz_id, module_id).values(name=name))


async def leave_out(tx: Tx, quiz_id: UUID, module_id: UUID, *, is_left_out: bool) -> None:
    """Orders pass over it, or do so no more; its questions stay."""
    await tx.execute(_one(quiz_id, module_id).values(is_left_out=is_left_out))


async def merge(tx: Tx, quiz_id: UUID, module_ids: Collection[UUID], name: str | None) -> UUID:
    """Put the texts one behind the other into the first of the modules, which takes the name; the others are gone.

    Raises NotFound, StateConflict for modules that were ordered from: questions say where in their text they stand.
    The caller has locked the quiz.
    """
    found = sa.select(modules.c.id, modules.c.name, modules.c.text).where(
        modules.c.quiz_id == quiz_id, modules.c.id.in_(module_ids)
    )
    rows = (await tx.execute(found.order_by(modules.c.position))).all()
    if len(rows) < len(set(module_ids)):
        raise NotFound(f"not all of these modules are in quiz {quiz_id}")
    used = sa.select(batches.c.id).where(batches.c.module_id.in_(module_ids)).limit(1)
    if (await tx.execute(used)).first() is not None:
        raise StateConflict("modules can't be merged any more once questions were ordered from one of them")
    first, *others = rows
    text = "\n\n".join(row.text for row in rows)
    await tx.execute(sa.delete(modules).where(modules.c.id.in_([row.id for row in others])))
    merged = _one(quiz_id, first.id).values(text=text, content_hash=_hash(text), name=name or first.name)
    await tx.execute(merged.values(is_left_out=False))
    merged_id: UUID = first.id
    return merged_id


async def of_quizzes(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, list[Module]]:
    """The modules of each quiz in their order, without the texts."""
    found = (
        sa.select(
            modules.c.id,
            modules.c.quiz_id,
            modules.c.name,
            modules.c.is_left_out,
            sa.func.length(modules.c.text).label("characters"),
        )
        .where(modules.c.quiz_id.in_(quiz_ids))
        .order_by(modules.c.quiz_id, modules.c.position)
    )
    names = await topics.names(tx, quiz_ids)
    grouped: dict[UUID, list[Module]] = defaultdict(list)
    for row in await tx.execute(found):
        module = Module(
            id=row.id,
            name=row.name,
            characters=row.characters,
            topics=names.get(row.id, ()),
            is_left_out=row.is_left_out,
        )
        grouped[row.quiz_id].append(module)
    return grouped


def _one(quiz_id: UUID, module_id: UUID) -> sa.Update:
    return sa.update(modules).where(modules.c.quiz_id == quiz_id, modules.c.id == module_id)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
