"""Planted mistakes, each with the tests that must notice it."""

from dataclasses import dataclass

SIMULATION = "tests/simulation/test_simulation.py::test_no_seed_finds_anything"


@dataclass(frozen=True)
class Edit:
    """`old` stands in the file exactly once."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """Each of `tests` alone must fail when the edits are made."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "the fence is not checked",
        (
            Edit(
                "service/store/batches.py",
                "        batches.c.fence == claim.fence,\n        batches.c.lease_owner == claim.worker,\n",
                "        batches.c.lease_owner == claim.worker,\n",
            ),
            Edit(
                "service/store/batches.py",
                '    batches.c.fence == sa.bindparam("under"),\n',
                '    batches.c.fence >= sa.bindparam("under"),\n',
            ),
            Edit(
                "service/store/batches.py",
                "    rows = {(row.id, row.fence, row.lease_owner): row for row in found}\n",
                "    fences = {claim.batch_id: claim.fence for claim in claims}\n"
                "    rows = {(row.id, fences[row.id], row.lease_owner): row for row in found}\n",
            ),
        ),
        ("tests/properties/test_lifecycle.py",),
    ),
    Mutant(
        "announced before the commit",
        (
            Edit(
                "service/api/operations.py",
                "dry_run=dry_run,\n        )\n"
                "        generation = await generations.load(tx, owner, generation_id)\n"
                "    await backend.broadcast.announce(wakeup)\n",
                "dry_run=dry_run,\n        )\n"
                "        generation = await generations.load(tx, owner, generation_id)\n"
                "        await backend.broadcast.announce(wakeup)\n",
            ),
        ),
        (SIMULATION,),
    ),
    Mutant(
        "a question is announced before it is committed",
        (
            Edit(
                "jobs/checkpoint.py",
                "        return await self._workshop.persist_together(hold, brought, about=self.claim.generation_id)\n",
                "        async def early(tx, brought):\n"
                "            kept = await hold(tx, brought)\n"
                "            await self._workshop.broadcast.announce(kept[0].wakeup)\n"
                "            return kept\n"
                "        about = self.claim.generation_id\n"
                "        return await self._workshop.persist_together(early, brought, about=about)\n",
            ),
        ),
        (SIMULATION,),
    ),
    Mutant(
        "the event is written in a transaction of its own",
        (
            Edit(
                "service/store/steps.py",
                "    await questions.hold(tx, placed)\n",
                "    await questions.hold(tx, placed)\n"
                '    await tx.exec_driver_sql("COMMIT")\n'
                '    await tx.exec_driver_sql("BEGIN IMMEDIATE")\n',
            ),
        ),
        (SIMULATION,),
    ),
    Mutant(
        "job ids are used again: they do not carry the fence",
        (Edit("service/queue.py", 'f"{batch.batch_id}:{batch.fence}",', 'f"{batch.batch_id}",'),),
        ("tests/service/test_queue.py",),
    ),
    Mutant(
        "writers begin DEFERRED",
        (
            Edit(
                "service/store/database.py",
                'connection.exec_driver_sql("BEGIN IMMEDIATE")',
                'connection.exec_driver_sql("BEGIN DEFERRED")',
            ),
        ),
        ("tests/service/store/test_database.py",),
    ),
    Mutant(
        "leases run by the worker's own clock",
        (
            Edit(
                "service/store/batches.py",
                "        lease_owner=worker,\n        lease_until=seconds_from_now(lease_seconds),\n",
                "        lease_owner=worker,\n"
                "        lease_until=datetime.fromtimestamp(time.time() + lease_seconds, UTC),\n",
            ),
            Edit(
                "service/store/batches.py",
                "from collections.abc import Collection, Mapping, Sequence\n",
                "import time\nfrom collections.abc import Collection, Mapping, Sequence\n"
                "from datetime import UTC, datetime\n",
            ),
        ),
        (SIMULATION,),
    ),
    Mutant(
        "a retry touches completed batches",
        (
            Edit(
                "service/store/steps.py",
                "    failed = [batch for batch in plan if batch.status is BatchState.FAILED]\n",
                "    failed = [batch for batch in plan if batch.status in {BatchState.FAILED, BatchState.COMPLETED}]\n",
            ),
            Edit(
                "service/store/batches.py",
                "batches.c.id.in_(batch_ids), batches.c.state.in_({BatchState.FAILED}))",
                "batches.c.id.in_(batch_ids))",
            ),
            Edit(
                "service/store/batches.py",
                "        state=BatchState.PENDING,\n        fence=batches.c.fence + 1,\n        run_attempts=0,\n",
                "        state=BatchState.PENDING,\n        saved_count=0,\n        fence=batches.c.fence + 1,\n"
                "        run_attempts=0,\n",
            ),
        ),
        ("tests/service/store/test_steps_users.py", SIMULATION),
    ),
    Mutant(
        "Last-Event-ID is ignored",
        (
            Edit(
                "service/api/events.py",
                '        ("Last-Event-ID", request.headers.get("last-event-id")),\n',
                "",
            ),
        ),
        ("tests/journeys/test_stream.py::test_a_client_that_comes_back_gets_exactly_what_it_missed",),
    ),
    Mutant(
        "half a batch is visible",
        (
            Edit(
                "service/store/questions.py",
                "questions.c.state == QuestionState.SAVED, questions.c.replaced_by.is_(None)",
                "questions.c.replaced_by.is_(None)",
            ),
        ),
        ("tests/service/store/test_questions.py",),
    ),
    Mutant(
        "a batch is taken back without a new fence",
        (
            Edit(
                "service/store/batches.py",
                "        fence=batches.c.fence + 1,\n"
                "        run_attempts=batches.c.run_attempts - 1,\n"
                "        losses=batches.c.losses + 1,\n",
                "        run_attempts=batches.c.run_attempts - 1,\n        losses=batches.c.losses + 1,\n",
            ),
        ),
        ("tests/service/store/test_batches.py", "tests/properties/test_lifecycle.py", SIMULATION),
    ),
    Mutant(
        "what the bank knows is not compared under the lock",
        (
            Edit(
                "jobs/holding.py",
                "for entered in unknown), beside=bank.taken)",
                "for entered in unknown))",
            ),
        ),
        ("tests/jobs/test_holding.py",),
    ),
    Mutant(
        "whatever arrives is taken for what comes next",
        (Edit("service/api/feed.py", "if event.seq == tail.head + 1:", "if event.seq > tail.head:"),),
        ("tests/properties/test_hub.py",),
    ),
    Mutant(
        "who joins is told again of what is under way",
        (
            Edit(
                "service/api/feed.py",
                "        self._send()\n        self._live[stream] = None\n",
                "        self._live[stream] = None\n",
            ),
        ),
        ("tests/properties/test_hub.py",),
    ),
)
