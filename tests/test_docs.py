"""The documentation tells of all that exists, with the right defaults; its links lead somewhere, its commands work."""

import asyncio
import csv
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from starlette.routing import Route
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from jobs import duplicates, evidence, flaws, tongues
from jobs.flaws import COST_OF
from schemas.calls import CallOutcome, Usage
from schemas.estimates import Estimate
from schemas.events import Happening
from schemas.orders import QuizOrder
from schemas.questions import CONTENT_OF
from schemas.states import ErrorCode, FailureReason, QuestionType
from service import queue
from service.app import create_app
from service.cli.main import app
from service.errors import QuizmillError
from service.rules import balance, fields, structure
from service.settings import PREFIX, Settings
from tests.processes import quizmill

ROOT = Path(__file__).parent.parent
GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + GUIDES
CLIENT_VARIABLES = {"QUIZMILL_URL"}
COMMAND_SECONDS_MAX = 60
PATH_TYPE = re.compile(r":\w+(?=})")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def row(text: str, first: str) -> str:
    """The table row whose first cell begins with `first`."""
    found = [line for line in text.splitlines() if line.startswith(f"| {first}")]
    assert found, f"no table has a row for {first}"
    return found[0]


def variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def happenings(parent: type[Happening] = Happening) -> Iterator[type[Happening]]:
    for child in parent.__subclasses__():
        if "type" in vars(child):
            yield child
        yield from happenings(child)


def errors(parent: type[QuizmillError] = QuizmillError) -> Iterator[type[QuizmillError]]:
    yield parent
    for child in parent.__subclasses__():
        if child.__module__ == "service.errors":
            yield from errors(child)


def commands(group: TyperGroup, path: str = "quizmill") -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path} {name}")
        else:
            assert isinstance(command, TyperCommand), f"{path} {name} is a command"
            yield f"{path} {name}", command


def tree() -> dict[str, TyperCommand]:
    root = get_command(app)
    assert isinstance(root, TyperGroup), "quizmill has commands"
    return dict(commands(root))


def prose(text: str) -> str:
    """Without code blocks, in which brackets are no links and # is no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The names under which GitHub lets one link to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    cell = row(page("settings.md"), f"`{variable(name)}` |").split("|")[2].strip()
    shown = str(default).lower() if isinstance(default, bool) else default
    assert cell == ("empty" if default in {"", None} else f"`{shown}`")


@pytest.mark.parametrize("path", [*PAGES, *(ROOT / name for name in (".env.example", "compose.yaml", "Dockerfile"))])
def test_no_setting_is_named_that_does_not_exist(path: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    assert named <= {variable(name) for name in Settings.model_fields} | CLIENT_VARIABLES


@pytest.mark.parametrize("happening", list(happenings()), ids=lambda happening: happening.type)
def test_every_event_is_documented_with_its_data(happening: type[Happening]) -> None:
    [line] = [line for line in page("events.md").splitlines() if line.startswith("| `") and happening.type in line]
    assert [field for field in happening.model_fields if f"`{field}`" not in line] == []


def test_the_recipe_for_browsers_listens_to_every_event() -> None:
    text = (ROOT / "docs" / "recipes" / "eventsource.mjs").read_text(encoding="utf-8")
    names = re.findall(r'"([\w.]+)"', text.partition("TYPES = [")[2].partition("]")[0])
    assert sorted(names) == sorted({happening.type for happening in happenings()} | {"snapshot", "resync"})


def test_every_endpoint_is_documented(tmp_path: Path) -> None:
    text = page("http.md")
    routes = create_app(Settings(data_dir=tmp_path), queue.connect("redis://127.0.0.1:1")).routes
    endpoints = {
        f"`{method} {PATH_TYPE.sub('', route.path)}`"
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert len(endpoints) > 20
    assert [endpoint for endpoint in sorted(endpoints) if endpoint not in text] == []


@pytest.mark.parametrize(("name", "command"), list(tree().items()), ids=list(tree()))
def test_every_command_is_documented_with_its_options(name: str, command: TyperCommand) -> None:
    section = page("commands.md").partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    assert section, f"{name} has a section"
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    names = [parameter.opts[0] for parameter in shown if parameter.name != "help"]
    # What a family of commands shares is told once, at its first.
    family = page("commands.md") if name.startswith("quizmill generation ") else section
    assert [option for option in names if option not in section and option not in family] == []


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_reason_of_a_failed_batch_is_explained(code: ErrorCode) -> None:
    assert row(page("errors.md"), f"`{code}` |")


@pytest.mark.parametrize("reason", list(FailureReason))
def test_every_reason_of_a_failed_quiz_is_explained(reason: FailureReason) -> None:
    assert f"`{reason}`" in page("errors.md").partition("## Why a quiz failed")[2].partition("\n## ")[0]


@pytest.mark.parametrize("status", sorted({error.status for error in errors()}))
def test_every_http_error_is_explained(status: int) -> None:
    assert row(page("errors.md"), f"{status} |")


@pytest.mark.parametrize("reason", list(CallOutcome))
def test_every_reason_of_a_wasted_call_is_explained(reason: CallOutcome) -> None:
    table = page("cost.md").partition("| reason of waste |")[2].partition("\n\n")[0]
    assert (f"`{reason}`" in table) is (reason is not CallOutcome.ACCEPTED)


@pytest.mark.parametrize("model", [Usage, Estimate])
def test_every_figure_about_money_is_explained(model: type[BaseModel]) -> None:
    assert [field for field in model.model_fields if f"`{field}`" not in page("cost.md")] == []


@pytest.mark.parametrize("question_type", list(QuestionType))
def test_every_question_type_is_documented_with_its_content(question_type: QuestionType) -> None:
    line = row(page("questions.md"), f"`{question_type}` |")
    assert [field for field in CONTENT_OF[question_type].model_fields if f"`{field}`" not in line] == []


def rules(heading: str) -> dict[str, list[str]]:
    """The rows of the table of codes under a heading of the page about questions: code and further cells."""
    section = page("questions.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines()]
    return {cells[0].strip("`"): cells[1:] for cells in rows if cells[0].startswith("`") and len(cells) > 1}


ERRORS = rules("Why a question is rejected")
WARNINGS = rules("Flaws a reviewer should see")
LETTERS_OF = {"MC", "MR", "TF", "FB", "SA", "MA", "NU", "FC", "VO"}


def source_of(*paths: str) -> str:
    return "".join((ROOT / f"{path}.py").read_text(encoding="utf-8") for path in paths)


def test_the_reasons_to_reject_a_question_are_those_of_the_code() -> None:
    codes = set(re.findall(r'code="(\w+)"', source_of("service/rules/structure", "jobs/checks", "jobs/options")))
    codes |= set(re.findall(r'^    "(\w+)": re\.', source_of("jobs/options"), re.MULTILINE))
    codes |= set(re.findall(r'"(empty_\w+)"', source_of("service/rules/fields")))
    codes |= set(re.findall(r'return "(\w+)" if', source_of("jobs/options")))
    assert set(ERRORS) == codes | {"schema"}


def test_the_flaws_are_those_of_the_code_and_cost_what_it_says() -> None:
    seen = set(re.findall(r'yield "(\w+)"', source_of("jobs/flaws"))) | {balance.KEY_POSITION, balance.TRUE_FALSE}
    assert seen | {"evidence_not_verbatim"} == set(COST_OF)
    assert {flaw: float(cells[2]) for flaw, cells in WARNINGS.items()} == COST_OF


def test_every_rule_names_the_types_that_it_is_for() -> None:
    for code, cells in {**ERRORS, **WARNINGS}.items():
        assert set(re.findall(r"[A-Z]{2}", cells[1])) <= LETTERS_OF, code
        assert cells[1].startswith("all") or cells[1][:2] in LETTERS_OF, code
    assert len(LETTERS_OF) == len(QuestionType)


@pytest.mark.parametrize(
    ("code", "thresholds"),
    [
        ("option_count", (structure.OPTIONS_MIN, structure.OPTIONS_MAX)),
        ("key_count", (structure.KEYS_MIN,)),
        ("pair_count", (structure.PAIRS_MIN, structure.PAIRS_MAX, structure.EXTRA_RIGHTS_MAX)),
        (
            "text_too_long",
            (
                fields.PASSAGE_CHARACTERS_MAX,
                fields.OPTION_CHARACTERS_MAX,
                fields.ANSWER_CHARACTERS_MAX,
                structure.EXPLANATION_CHARACTERS_MAX,
            ),
        ),
        ("evidence_not_in_source", (evidence.SIMILARITY_MIN, evidence.APPROXIMATE_CHARACTERS_MIN)),
        ("near_duplicate", (duplicates.SIMILARITY_MIN,)),
        ("longest_answer_correct", (flaws.LONG_KEY_WORDS_MIN, flaws.LONG_KEY_RATIO)),
        ("word_repeats_in_stem_and_key", (flaws.CLUE_CHARACTERS_MIN,)),
        ("convergence_cue", (flaws.CLUE_CHARACTERS_MIN,)),
        ("key_not_in_evidence", (flaws.SHORT_KEY_CHARACTERS_MAX, flaws.KEY_IN_EVIDENCE_MIN)),
        ("evidence_not_verbatim", (100 - evidence.SIMILARITY_MIN,)),
        ("stem_too_short", (flaws.STEM_WORDS_MIN,)),
        ("term_not_in_example", (flaws.TERM_IN_EXAMPLE_MIN,)),
        ("wide_tolerance", (flaws.TOLERANCE_SHARE_MAX,)),
        ("key_position_balance", (balance.QUESTIONS_MIN, balance.POSITION_EXCESS_MAX)),
        ("true_false_balance", (balance.QUESTIONS_MIN, 35, 65)),
    ],
)
def test_every_threshold_is_that_of_the_code(code: str, thresholds: tuple[float, ...]) -> None:
    told = re.findall(r"\d+(?:\.\d+)?", {**ERRORS, **WARNINGS}[code][0])
    assert [f"{threshold:g}" for threshold in thresholds if f"{threshold:g}" not in told] == []
    assert (balance.TRUE_SHARE_MIN, balance.TRUE_SHARE_MAX) == (0.35, 0.65)


def test_the_thresholds_of_the_language_of_a_batch_are_those_of_the_code() -> None:
    section = page("questions.md").partition("### The language of a batch")[2]
    assert f"the {tongues.WINDOW_CHARACTERS} characters before it" in section
    assert f"at least {tongues.FOREIGN_WORDS_MIN} small words" in section
    assert f"{tongues.FOREIGN_SHARE_MIN:.0%}".replace("%", " %") in section
    assert tongues.FOREIGN_LEAD_MIN == 3, "the page says three times"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8")))
    for link in links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_the_readme_leads_to_every_guide(path: Path) -> None:
    assert f"(docs/{path.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_readme_names_the_two_commands_and_they_exist(target: str) -> None:
    assert re.search(rf"^make {target}\b", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_containers_run_commands_that_exist() -> None:
    compose = re.findall(r"^    command: (\w+)$", (ROOT / "compose.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    image = re.findall(r'^CMD \["(\w+)"\]$', (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(compose) == {"serve", "work", "migrate"}
    assert image == ["up"]
    assert {f"quizmill {name}" for name in (*compose, *image)} <= set(tree())


def test_the_order_in_the_guide_is_one() -> None:
    body = page("http.md").partition("<<'JSON'\n")[2].partition("\nJSON\n")[0]
    assert QuizOrder.model_validate_json(body).modules


async def test_the_commands_for_beginners_make_what_they_promise(tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    data_dir = str(tmp_path / "quizmill-data")
    blocks = re.findall(r"^```bash\n(.*?)^```", page("getting-started.md"), flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith(".venv/bin/quizmill generate")]
    assert len(lines) == 2
    arguments = ("up", "--port", "0", "--data-dir", data_dir)
    async with quizmill(*arguments, log=tmp_path / "log", QUIZMILL_PROVIDER="offline"):
        for line in lines:
            await succeed(shlex.split(line)[1:], tmp_path)
    with (tmp_path / "flashcards.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 20
    assert len(json.loads((tmp_path / "quiz.json").read_text(encoding="utf-8"))["questions"]) == 20


async def succeed(arguments: list[str], directory: Path) -> None:
    """Run a quizmill command as someone in that directory would."""
    command = (sys.executable, "-m", "service.cli.main", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS_MAX)
    assert process.returncode == 0, output.decode()
