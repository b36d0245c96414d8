"""The tree of errors is as it is drawn, and each says what it means."""

import re

import pytest

from schemas.problems import FieldProblem
from service import errors
from service.errors import Invalid, QuizmillError

LINE = re.compile(r"^(?P<branch>[|` -]*)(?P<name>[A-Z]\w+)\s+(?P<status>\d{3})?")


def classes() -> dict[str, type[QuizmillError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, QuizmillError)]
    return {found_class.__name__: found_class for found_class in found}


def drawn() -> list[tuple[int, str, str | None]]:
    """Depth, name and status of each line of the drawing."""
    assert errors.__doc__ is not None, "the module opens with the drawing"
    lines = [LINE.match(line) for line in errors.__doc__.splitlines()[2:]]
    return [(len(line["branch"]) // 4, line["name"], line["status"]) for line in lines if line]


def test_every_error_is_drawn_under_its_parent() -> None:
    trail: list[str] = []
    for depth, name, _ in drawn():
        del trail[depth:]
        parent = classes()[name].__bases__[0]
        assert parent.__name__ == (trail[-1] if trail else "Exception")
        trail.append(name)
    assert {name for _, name, _ in drawn()} == set(classes())


def test_every_error_carries_the_status_it_is_drawn_with() -> None:
    for _, name, status in drawn():
        expected = int(status) if status else QuizmillError.status
        assert classes()[name].status == expected, name


@pytest.mark.parametrize("error", classes().values(), ids=lambda error: error.__name__)
def test_every_error_has_a_title_for_people(error: type[QuizmillError]) -> None:
    assert error.title[0].isupper()
    assert " " in error.title or error.title.isalpha()


def test_an_invalid_input_names_every_field() -> None:
    problems = [
        FieldProblem(field="modules.0.text", message="must not be empty"),
        FieldProblem(field="title", message="is too long"),
    ]
    error = Invalid(problems)
    assert error.problems == problems
    assert str(error) == "modules.0.text: must not be empty; title: is too long"


def test_an_invalid_field_can_be_named_in_one_go() -> None:
    error = Invalid.field("count", "is too many")
    assert error.problems == [FieldProblem(field="count", message="is too many")]
    assert error.status == 422
