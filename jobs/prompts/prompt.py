"""What the model is told for one call, put together from the text files of this folder."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Template

from jobs.prompts import languages
from jobs.providers.base import PictureRequest, Request, Source, TopicsRequest
from schemas.base import Frozen
from schemas.states import QuestionType

AVOID_MAX = 200
AVOID_CHARACTERS_MAX = 200
CORRECTIONS_MAX = 20
CORRECTION_CHARACTERS_MAX = 300


class Prompt(Frozen):
    """`frame` and `module` are the same for every call about a module, so that the provider can cache them.

    A picture has no module: it comes with the task.
    """

    frame: str
    module: str
    task: str


def for_request(request: Request | TopicsRequest | PictureRequest) -> Prompt:
    if isinstance(request, PictureRequest):
        task = _template("picture").substitute(name=_quoted(request.source.name))
        return Prompt(frame=_text("transcribe"), module="", task=task)
    task = _task(request) if isinstance(request, Request) else _topics_task(request)
    return Prompt(frame=_text("frame"), module=_module(request.source), task=task)


def _topics_task(request: TopicsRequest) -> str:
    return _template("topics").substitute(language=languages.spelled_out(request.source.language))


def _module(source: Source) -> str:
    # The boundary is a hash of the text: constant, so that the prefix can be cached, and a text that contains its own
    # hash can't be written, so nothing inside can pretend to be the end of the module.
    boundary = hashlib.sha256(source.text.encode()).hexdigest()[:16]
    return _template("module").substitute(name=_quoted(source.name), boundary=boundary, text=source.text)


def _task(request: Request) -> str:
    head = _template("task").substitute(
        question_type=request.question_type.value,
        count=request.count,
        difficulty=request.difficulty.value if request.difficulty else "any",
        language=languages.spelled_out(request.source.language),
        type_rules=_rules(request.question_type),
    )
    return "\n\n".join([head, *_place(request), *_sections(request)])


def _place(request: Request) -> Iterator[str]:
    """Where in the module: at its topics, else in a part of it when others ask at the same time."""
    if request.topics:
        names = [topic.name for topic in request.topics[: request.count]]
        yield _template("spread").substitute(lines="\n".join(_quoted(name) for name in names))
    elif request.lanes > 1:
        yield _template("lane").substitute(lane=request.lane + 1, lanes=request.lanes)


def _sections(request: Request) -> Iterator[str]:
    """What is said only where there is something to say. Of long lists the newest entries: they repeat soonest."""
    sections = (
        ("instructions", [request.instructions.strip()]),
        ("avoid", [stem[:AVOID_CHARACTERS_MAX] for stem in request.avoid[-AVOID_MAX:]]),
        ("corrections", [reason[:CORRECTION_CHARACTERS_MAX] for reason in request.corrections[-CORRECTIONS_MAX:]]),
    )
    for name, lines in sections:
        if any(lines):
            yield _template(name).substitute(lines="\n".join(_quoted(line) for line in lines))


def _rules(question_type: QuestionType) -> str:
    return _text(question_type.value)


def _quoted(text: str) -> str:
    """Text of others on one line, in quotes and unable to open or close a tag."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8").strip()


@cache
def _template(name: str) -> Template:
    return Template(_text(name))
