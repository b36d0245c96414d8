"""Who looks for what is missing must notice it: clients meet a service that lies in one point."""

import asyncio
import random
from itertools import product

import pytest

from tests.faults.streams.findings import Findings, Wrong
from tests.faults.streams.follower import Follower, Manner, Start, Tally
from tests.faults.streams.liar import EVENTS, GENERATION_ID, Blocks, Liar, Lie, block, state
from tests.faults.streams.logs import Log
from tests.faults.streams.relay import Fate, Relay

SEED = 3
SECONDS_MAX = 30.0
MANNERS = [
    Manner(start, is_early, is_patient) for start, is_early, is_patient in product(Start, (False, True), (False, True))
]
PLAIN = Manner(Start.WHOLE, is_early=False, is_patient=False)


async def heard(service: Liar, *manners: Manner, bytes_max: int | None = None) -> tuple[Findings, Tally, Relay]:
    """What clients find who follow to the end; `bytes_max`: through a relay that cuts."""
    findings, tally, log = Findings(), Tally(), Log(GENERATION_ID)
    async with (
        asyncio.timeout(SECONDS_MAX),
        service,
        Relay([service.port], seed=SEED, bytes_max=bytes_max or 1, seconds_max=0.1) as relay,
    ):
        address = relay.address if bytes_max else ("127.0.0.1", service.port)
        followers = [Follower(address, log, manner, tally, findings) for manner in manners]
        await asyncio.gather(*(follower.follow(random.Random(SEED)) for follower in followers))
        assert [follower.seen for follower in followers] == [EVENTS] * len(manners)
    return findings, tally, relay


async def test_an_honest_service_is_believed() -> None:
    findings, tally, _ = await heard(Liar(), *MANNERS)
    assert findings.lines() == ()
    assert tally.told_no_more == len(MANNERS) / 2
    assert tally.snapshots == len(MANNERS) / len(Start)


async def test_an_honest_service_is_believed_through_any_cut() -> None:
    findings, tally, relay = await heard(Liar(), *(MANNERS * 12), bytes_max=900)
    assert findings.lines() == ()
    assert set(relay.met) == set(Fate) - {Fate.SPARED}
    assert tally.connections > 2 * len(MANNERS) * 12


def without(seen: int | None, blocks: Blocks) -> Blocks:
    return [told for told in blocks if told != block(4)]


def twice(seen: int | None, blocks: Blocks) -> Blocks:
    return [told for told in blocks for _ in range(2 if told == block(4) else 1)]


def late(seen: int | None, blocks: Blocks) -> Blocks:
    return [*blocks[:3], blocks[4], blocks[3], *blocks[5:]] if seen == 0 else blocks


def again(seen: int | None, blocks: Blocks) -> Blocks:
    return [block(1, is_first=True), *blocks[1:]] if seen else blocks[:6]


def id_first(seen: int | None, blocks: Blocks) -> Blocks:
    told = [lines.removesuffix(b"\n\n").split(b"\n") for lines in blocks]
    return [b"\n".join((lines[-1], *lines[:-1], b"", b"")) for lines in told]


def other_lines(seen: int | None, blocks: Blocks) -> Blocks:
    return [told.replace(b"\n", b"\r\n") for told in blocks]


def without_retry(seen: int | None, blocks: Blocks) -> Blocks:
    return [told.replace(b"retry: 1000\n", b"") for told in blocks]


def with_other_data(seen: int | None, blocks: Blocks) -> Blocks:
    return [told.replace(b'"seq": 7', b'"seq": 8') for told in blocks]


def fresh_start(seen: int | None, blocks: Blocks) -> Blocks:
    return [state("resync", 5), *(block(seq) for seq in range(6, EVENTS + 1))] if seen == 0 else blocks


def snapshot_instead(seen: int | None, blocks: Blocks) -> Blocks:
    return [state("snapshot", 5), *(block(seq) for seq in range(6, EVENTS + 1))] if seen == 0 else blocks


def wordless(seen: int | None, blocks: Blocks) -> Blocks:
    return blocks[:3] if seen == 0 else blocks


def torn(seen: int | None, blocks: Blocks) -> Blocks:
    return [*blocks[:3], blocks[3][:20]] if seen == 0 else blocks


@pytest.mark.parametrize(
    ("lie", "wrong"),
    [
        (without, Wrong.GAP),
        (twice, Wrong.DUPLICATE),
        (late, Wrong.ORDER),
        (again, Wrong.DUPLICATE),
        (id_first, Wrong.FORM),
        (other_lines, Wrong.FORM),
        (without_retry, Wrong.FORM),
        (with_other_data, Wrong.FORM),
        (fresh_start, Wrong.RESYNC),
        (snapshot_instead, Wrong.SNAPSHOT),
        (wordless, Wrong.WORDLESS_END),
        (torn, Wrong.FORM),
    ],
)
async def test_a_lie_is_noticed(lie: Lie, wrong: Wrong) -> None:
    findings, _, _ = await heard(Liar(lie), PLAIN)
    assert wrong in findings.counts


async def test_another_answer_than_200_is_noticed() -> None:
    findings, _, _ = await heard(Liar(statuses=[503]), PLAIN)
    assert findings.counts == {Wrong.STATUS: 1}


async def test_who_is_told_too_early_that_all_is_over_notices() -> None:
    findings, log = Findings(), Log(GENERATION_ID)
    async with asyncio.timeout(SECONDS_MAX), Liar(statuses=[204]) as service:
        follower = Follower(("127.0.0.1", service.port), log, PLAIN, Tally(), findings)
        await follower.follow(random.Random(SEED))
    assert findings.counts == {Wrong.EARLY_END: 1}


async def test_what_differs_between_two_clients_is_noticed() -> None:
    lies = iter([False, True])

    def to_the_second(seen: int | None, blocks: Blocks) -> Blocks:
        return with_other_data(seen, blocks) if next(lies) else blocks

    findings, _, _ = await heard(Liar(to_the_second), PLAIN, PLAIN)
    assert Wrong.CHANGED in findings.counts


async def test_an_early_client_loses_nothing_wherever_an_event_is_cut() -> None:
    whole = len(block(2))

    async def cut_after(length: int) -> tuple[set[Wrong], int]:
        def cut(seen: int | None, blocks: Blocks) -> Blocks:
            return [blocks[0], blocks[1][:length]] if seen == 0 else blocks

        findings, tally, _ = await heard(Liar(cut), Manner(Start.WHOLE, is_early=True, is_patient=False))
        return set(findings.counts), tally.cut_before_empty_line

    found = await asyncio.gather(*(cut_after(length) for length in range(1, whole)))
    assert found == [({Wrong.FORM, Wrong.WORDLESS_END}, int(length == whole - 1)) for length in range(1, whole)]
