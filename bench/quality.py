"""How good what the offline generator makes is: flaws, rejections, yield, key positions, and what a check costs.

`python -m bench.quality [FILE...] [--language en] [--count 10]` orders COUNT questions of every type about each module
of each file, as one quiz a file, and judges them as a worker does. Without files: three chapters of the Debian
Administrator's Handbook (`apt-get install debian-handbook`), or what of them is there, and the chapter of the tests.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from jobs.checks import Rejection, in_wrong_language, judge
from jobs.extraction import ExtractedModule, extract
from jobs.flaws import COST_OF
from jobs.providers.base import Request, Source, SourceExhausted
from jobs.providers.offline import OfflineProvider
from jobs.tongues import Ear
from schemas.questions import Draft, Fingerprint, MultipleChoice, SoundQuestion, TrueFalse
from schemas.states import QuestionType
from service.rules import balance
from service.rules.fields import wording_of

HANDBOOK = Path("/usr/share/doc/debian-handbook/html/en-US")
CHAPTERS = [HANDBOOK / f"{name}.html" for name in ("network-services", "advanced-administration", "unix-services")]
FIXTURE = Path(__file__).parent.parent / "tests" / "fixtures" / "photosynthesis.md"
HOW_TO_GET = "apt-get install debian-handbook (GPL-2+ or CC-BY-SA-3.0) brings the real chapters"
STORED = 2000
CHECKED = 1000
OPTIONS = 4


@dataclass
class Batch:
    """What one order of one type about one module came to."""

    question_type: QuestionType
    source: Source
    wanted: int
    drafts: list[Draft] = field(default_factory=list)
    sound: list[SoundQuestion] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="Markdown, text or HTML")
    parser.add_argument("--language", default="en")
    parser.add_argument("--count", type=int, default=10, help="questions of each type about each module")
    arguments = parser.parse_args()
    files = _present(arguments.files or [*CHAPTERS, FIXTURE])
    batches = asyncio.run(_ordered(files, arguments.language, arguments.count))
    questions = [question for batch in batches for question in batch.sound]
    if not questions:
        sys.exit(f"no question was made: the offline generator knows no language {arguments.language!r}, or no facts")
    _print_types(batches)
    _print_codes("flaw", Counter(flaw for question in questions for flaw in question.flaws), len(questions))
    drafts_count = sum(len(batch.drafts) for batch in batches)
    _print_codes("rejected", Counter(code for batch in batches for code in batch.rejected), drafts_count)
    _print_balance(batches)
    _print_speed(batches)


def _present(files: Sequence[Path]) -> list[Path]:
    """The files that are there. Ends the bench when none is, and says how to get the real chapters."""
    found = [path for path in files if path.is_file()]
    missing = [path for path in files if path not in found]
    for path in missing:
        print(f"not there: {path}")
    if set(missing) & set(CHAPTERS):
        print(HOW_TO_GET)
    if not found:
        sys.exit(f"no chapter is there: name files; {HOW_TO_GET}")
    return found


async def _ordered(files: Sequence[Path], language: str, count: int) -> list[Batch]:
    provider = OfflineProvider()
    batches: list[Batch] = []
    try:
        for path in files:
            modules = extract(path.name, path.read_bytes())
            words = sum(len(module.text.split()) for module in modules)
            print(f"chapter: {path} ({words:,} words, {len(modules)} modules)")
            batches += await _of_quiz(provider, modules, language, count)
    finally:
        await provider.close()
    return batches


async def _of_quiz(
    provider: OfflineProvider, modules: Iterable[ExtractedModule], language: str, count: int
) -> list[Batch]:
    taken: list[Fingerprint] = []
    batches = []
    for module in modules:
        source = Source(module_id=uuid4(), name=module.name, text=module.text, language=language)
        for question_type in QuestionType:
            batch = Batch(question_type, source, count)
            await _fill(provider, batch, taken)
            batches.append(batch)
    return batches


async def _fill(provider: OfflineProvider, batch: Batch, taken: list[Fingerprint]) -> None:
    request = Request(source=batch.source, question_type=batch.question_type, difficulty=None, count=batch.wanted)
    ear = Ear(batch.source.language)
    try:
        async for draft in provider.ask(request):
            assert isinstance(draft, Draft), "the offline generator yields drafts only"
            batch.drafts.append(draft)
            verdict = judge(draft, batch.source, taken)
            if isinstance(verdict, SoundQuestion) and ear.hears_foreign(
                f"{wording_of(verdict.content)}\n{verdict.explanation}"
            ):
                verdict = in_wrong_language(batch.source.language)
            if isinstance(verdict, Rejection):
                batch.rejected.append(verdict.code)
                continue
            taken.append(verdict.fingerprint)
            batch.sound.append(verdict)
            if len(batch.sound) == batch.wanted:
                return
    except SourceExhausted:
        return


def _print_types(batches: Sequence[Batch]) -> None:
    print(
        f"\n{'type':18} {'wanted':>7} {'made':>6} {'yield':>6} {'drafts':>7} {'no flaw':>8} {'<= 1':>6} {'quality':>8}"
    )
    for question_type in QuestionType:
        _print_row(question_type, [batch for batch in batches if batch.question_type is question_type])
    _print_row("all", batches)


def _print_row(name: str, batches: Sequence[Batch]) -> None:
    sound = [question for batch in batches for question in batch.sound]
    wanted, drafts = sum(batch.wanted for batch in batches), sum(len(batch.drafts) for batch in batches)
    if not sound:
        print(f"{name:18} {wanted:7} {0:6}")
        return
    flawless = sum(not question.flaws for question in sound) / len(sound)
    acceptable = sum(len(question.flaws) <= 1 for question in sound) / len(sound)
    quality = sum(question.quality for question in sound) / len(sound)
    print(
        f"{name:18} {wanted:7} {len(sound):6} {len(sound) / wanted:6.0%} {drafts:7} "
        f"{flawless:8.1%} {acceptable:6.1%} {quality:8.3f}"
    )


def _print_codes(title: str, counts: Counter[str], whole: int) -> None:
    print(f"\n{title:30} {'count':>6} {'share':>7} {'of ' + str(whole):>9}")
    for code, count in counts.most_common():
        print(f"{code:30} {count:6} {count / whole:7.1%}")
    if title == "flaw":
        print(
            f"never seen: {', '.join(sorted({flaw for flaw, cost in COST_OF.items() if cost} - set(counts))) or 'none'}"
        )


def _print_balance(batches: Sequence[Batch]) -> None:
    contents = [question.content for batch in batches for question in batch.sound]
    keys = Counter(
        content.answer
        for content in contents
        if isinstance(content, MultipleChoice) and len(content.options) == OPTIONS
    )
    if keys.total():
        shares = ", ".join(f"{keys[position] / keys.total():.1%}" for position in range(OPTIONS))
        print(f"\nkey positions of {keys.total()} questions with {OPTIONS} options: {shares} (at most 40 %)")
    truths = [content.answer for content in contents if isinstance(content, TrueFalse)]
    if truths:
        print(f"true among {len(truths)} statements: {sum(truths) / len(truths):.1%} (35 to 65 %)")
    for flaw, question_type in zip((balance.KEY_POSITION, balance.TRUE_FALSE), balance.TYPES, strict=True):
        large = [
            batch
            for batch in batches
            if batch.question_type is question_type and len(batch.sound) >= balance.QUESTIONS_MIN
        ]
        marked = sum(flaw in balance.flaws_of([question.content for question in batch.sound]) for batch in large)
        print(f"{flaw}: {marked} of {len(large)} batches of at least {balance.QUESTIONS_MIN}")


def _print_speed(batches: Sequence[Batch]) -> None:
    drafts = list(
        itertools.islice(
            itertools.cycle([(draft, batch.source) for batch in batches for draft in batch.drafts]), CHECKED
        )
    )
    print(f"\nchecking {len(drafts)} questions, milliseconds each:")
    for stored in (0, STORED):
        taken = list(itertools.islice(_strangers(batches), stored))
        begun = time.perf_counter()
        for draft, source in drafts:
            judge(draft, source, taken)
        print(f"  against {stored:5} stored ones: {(time.perf_counter() - begun) / len(drafts) * 1000:.2f}")


def _strangers(batches: Sequence[Batch]) -> Iterator[Fingerprint]:
    """As long as real ones, and like none of them: the search for a repeat then looks at every one."""
    real = [question.fingerprint for batch in batches for question in batch.sound]
    for number, fingerprint in enumerate(itertools.cycle(real)):
        changes = {"text": fingerprint.text[::-1], "module_id": UUID(int=number)}
        yield fingerprint.model_copy(update=changes)


if __name__ == "__main__":
    main()
