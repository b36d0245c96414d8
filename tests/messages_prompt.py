"""What the local Messages API understands of a request: the module, the task, and what to avoid."""

import json
import re
from dataclasses import dataclass, field

from tests.messages_faults import Fault, Rule
from tests.messages_questions import Fields

_MODULE = re.compile(
    r"<module_name>(?P<name>.*?)</module_name>\s*"
    r'<module_text id="(?P<id>\w+)">\n(?P<text>.*)\n</module_text id="(?P=id)">',
    re.DOTALL,
)


@dataclass
class Asked:
    """One call as the server understood it, and what became of it. The type of one for topics is `topics`."""

    module: str
    module_text: str
    question_type: str
    count: int
    difficulty: str
    language: str
    avoid: tuple[str, ...]
    corrections: tuple[str, ...]
    instructions: tuple[str, ...]
    topics: tuple[str, ...]
    model: str
    is_streamed: bool
    sdk_retries: int
    system: str
    prompt: str
    body: dict[str, object]
    rule: Rule | None = None
    questions: list[Fields] = field(default_factory=list)
    questions_sent: int = 0
    is_disconnected: bool = False

    @property
    def fault(self) -> Fault | None:
        return self.rule.fault if self.rule else None


def understood(body: dict[str, object], sdk_retries: int) -> Asked | None:
    """None where the prompt is not one of ours."""
    system, prompt = _text(body.get("system")), _text(_last_content(body.get("messages")))
    module = _MODULE.search(system)
    if module is None or _tag("task", prompt) is None:
        return None
    return Asked(
        module=json.loads(module["name"]),
        module_text=module["text"],
        question_type=_tag("question_type", prompt) or _tag("wanted", prompt) or "",
        count=int(_tag("count", prompt) or 0),
        difficulty=_tag("difficulty", prompt) or "",
        language=_tag("language", prompt) or "",
        avoid=_lines("already_used", prompt),
        corrections=_lines("corrections", prompt),
        instructions=_lines("instructions", prompt),
        topics=_lines("topics", prompt),
        model=str(body.get("model")),
        is_streamed=body.get("stream") is True,
        sdk_retries=sdk_retries,
        system=system,
        prompt=prompt,
        body=body,
    )


def _last_content(messages: object) -> object:
    return messages[-1].get("content") if isinstance(messages, list) and messages else None


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n\n".join(block.get("text", "") for block in content)
    return content if isinstance(content, str) else ""


def _tag(name: str, prompt: str) -> str | None:
    found = re.search(rf"<{name}>(.*?)</{name}>", prompt, re.DOTALL)
    return found[1].strip() if found else None


def _lines(name: str, prompt: str) -> tuple[str, ...]:
    return tuple(json.loads(line) for line in (_tag(name, prompt) or "").splitlines())
