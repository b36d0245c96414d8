"""Reads GIFT with gift-pegjs, a parser for Node that others use."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from tests import programs
from tests.service.exports.reading import (
    CHOICE,
    NUMBER,
    RESPONSES,
    SHORT,
    TRUTH,
    Read,
    asked_as_read,
    filtered,
    matching,
    shown,
    told,
    without_wildcards,
)

SCRIPT = Path(__file__).with_name("gift_reader.cjs")
# It leaves its own marks for escaped characters in the rights of pairs.
MARKS = {"&&092;": "\\", "&&058;": ":", "&&035;": "#", "&&061;": "=", "&&123;": "{", "&&125;": "}", "&&126;": "~"}


class Reader:
    """One Node process for many files."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def parse(self, file: bytes) -> list[dict[str, Any]]:
        """What gift-pegjs makes of it, categories included."""
        assert self._process.stdin, "it is a pipe"
        assert self._process.stdout, "it is a pipe"
        self._process.stdin.write(json.dumps(file.decode()) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert isinstance(found, list), f"{found} in {file.decode()}"
        return found

    def read(self, file: bytes) -> dict[UUID, Read]:
        if not file:
            return {}
        found = [one for one in self.parse(file) if one["type"] != "Category"]
        by_id = {UUID(one["id"]): _read(one) for one in found}
        assert len(by_id) == len(found), "every id is there once"
        return by_id


@contextmanager
def reader() -> Iterator[Reader]:
    command = [programs.path("node"), str(SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reader(process)
        assert process.stdin, "it is a pipe"
        process.stdin.close()


def _read(one: dict[str, Any]) -> Read:
    assert one["title"].strip()
    assert not one["hasEmbeddedAnswers"]
    asked = asked_as_read(_text(one["stem"]))
    feedback = told(one["globalFeedback"]["text"]) if one["globalFeedback"] else "|"
    match one["type"]:
        case "MC":
            options = tuple(_text(choice["text"]) for choice in one["choices"])
            keys = frozenset(index for index, choice in enumerate(one["choices"]) if choice["isCorrect"])
            if keys:
                assert len(keys) == 1
                return Read(CHOICE, asked, options=options, keys=keys, feedback=feedback)
            weights = [choice["weight"] for choice in one["choices"]]
            keys = frozenset(index for index, weight in enumerate(weights) if weight > 0)
            assert abs(sum(weights[index] for index in keys) - 100) < 0.001
            assert abs(sum(weights)) < 0.001, "all options together are worth nothing"
            return Read(RESPONSES, asked, options=options, keys=keys, feedback=feedback)
        case "TF":
            return Read(TRUTH, asked, keys=frozenset({0 if one["isTrue"] else 1}), feedback=feedback)
        case "Short":
            assert all(choice["isCorrect"] and choice["weight"] is None for choice in one["choices"])
            accepted = tuple(without_wildcards(choice["text"]["text"]) for choice in one["choices"])
            return Read(SHORT, asked, answers=accepted, feedback=feedback)
        case "Matching":
            rows = [
                (_text(pair["subquestion"]) if pair["subquestion"]["text"] else "", _right(pair["subanswer"]))
                for pair in one["matchPairs"]
            ]
            return matching(asked, rows, feedback)
        case "Numerical":
            number = (float(one["choices"]["number"]), float(one["choices"]["range"]))
            return Read(NUMBER, asked, number=number, feedback=feedback)
        case kind:
            raise AssertionError(f"a question became {kind}")


def _text(found: dict[str, str]) -> str:
    assert found["format"] == "html"
    return shown(found["text"]).strip()


def _right(text: str) -> str:
    for mark, character in MARKS.items():
        text = text.replace(mark, character)
    return filtered(text)
