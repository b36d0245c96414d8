"""What became of a quiz's batches, run by run, read from attempts and batches (CONTRACT 4, `generation_metadata`)."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from schemas.history import BatchRun
from schemas.quizzes import GenerationMetadata
from schemas.states import AttemptOutcome, QuestionType
from service.rules import history as rules
from service.store.database import Tx
from service.store.tables import attempts, batches, generations, modules, questions

ENDED = (AttemptOutcome.COMPLETED, AttemptOutcome.FAILED)


async def of_quizzes(tx: Tx, quiz_ids: Collection[UUID]) -> dict[UUID, GenerationMetadata]:
    """For the quizzes that have any ended batch."""
    had = (questions.c.batch_id == attempts.c.batch_id) & (questions.c.fence <= attempts.c.fence)
    generated = sa.select(sa.func.count()).select_from(questions).where(had).correlate(attempts).scalar_subquery()
    found = (
        sa.select(
            generations.c.quiz_id,
            generations.c.id.label("generation_id"),
            generations.c.requested_at,
            attempts.c.run,
            attempts.c.outcome,
            attempts.c.error_message,
            attempts.c.ended_at,
            batches.c.id.label("batch_id"),
            batches.c.batch_key,
            batches.c.module_id,
            modules.c.name.label("module_name"),
            batches.c.question_type,
            batches.c.target_count,
            # What it had when the try ended: a later try may have added to it, and saving empties held_count.
            generated.label("generated_count"),
        )
        .join(batches, batches.c.id == attempts.c.batch_id)
        .join(generations, generations.c.id == batches.c.generation_id)
        .join(modules, modules.c.id == batches.c.module_id)
        .where(generations.c.quiz_id.in_(quiz_ids), attempts.c.outcome.in_(ENDED))
        .order_by(generations.c.requested_at, generations.c.id, attempts.c.run, batches.c.position, attempts.c.ended_at)
    )
    runs: dict[UUID, list[BatchRun]] = defaultdict(list)
    for row in await tx.execute(found):
        runs[row.quiz_id].append(
            BatchRun(
                generation_id=row.generation_id,
                run=row.run,
                batch_id=row.batch_id,
                batch_key=row.batch_key,
                module_id=row.module_id,
                module_name=row.module_name,
                question_type=QuestionType(row.question_type),
                target_count=row.target_count,
                generated_count=row.generated_count,
                is_success=row.outcome == AttemptOutcome.COMPLETED,
                error=row.error_message,
                ended_at=row.ended_at,
            )
        )
    return {quiz_id: rules.metadata(found_runs) for quiz_id, found_runs in runs.items()}
