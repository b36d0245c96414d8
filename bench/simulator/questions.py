"""What the simulated model writes: good questions about the facts of a module, as the JSON that was asked for."""

import json
from collections.abc import Callable, Sequence

from bench.simulator import chance
from bench.simulator.modules import Fact

Fields = dict[str, object]
DISTRACTORS = 3


def written(question_type: str, fact: Fact, others: Sequence[Fact]) -> str:
    """One question object. `others` lend the wrong answers."""
    wrong = [other.key for other in others if other.key != fact.key][:DISTRACTORS]
    fields: Fields = {
        "quote": fact.sentence,
        **_CONTENT[question_type](fact, wrong),
        "explanation": f"The module says that it is {fact.key}.",
        "cognitive_level": "remember",
        "tags": [fact.subject],
    }
    return json.dumps(fields)


def is_offered(question_type: str) -> bool:
    return question_type in _CONTENT


def _multiple_choice(fact: Fact, wrong: list[str]) -> Fields:
    return {"stem": fact.asked, "key": fact.key, "distractors": wrong}


def _true_false(fact: Fact, wrong: list[str]) -> Fields:
    is_true = chance.share("true or false", fact.sentence) < 1 / 2
    return {"stem": fact.saying(fact.key if is_true else wrong[0]), "answer": is_true}


def _fill_in_blank(fact: Fact, wrong: list[str]) -> Fields:
    return {"stem": fact.saying("____"), "answers": [fact.key]}


def _short_answer(fact: Fact, wrong: list[str]) -> Fields:
    return {"stem": fact.asked, "answers": [fact.key]}


def _flashcard(fact: Fact, wrong: list[str]) -> Fields:
    return {"front": fact.asked, "back": fact.key}


def _vocabulary(fact: Fact, wrong: list[str]) -> Fields:
    definition = f"What the {fact.subject} {fact.verb} {fact.rest}"
    return {"term": fact.key, "definition": definition, "example": f"Much {fact.key} comes from the {fact.subject}."}


_CONTENT: dict[str, Callable[[Fact, list[str]], Fields]] = {
    "multiple_choice": _multiple_choice,
    "true_false": _true_false,
    "fill_in_blank": _fill_in_blank,
    "short_answer": _short_answer,
    "flashcard": _flashcard,
    "vocabulary": _vocabulary,
}
