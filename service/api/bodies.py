"""Reads what clients send: JSON bodies, query values, form fields. Raises our errors, naming the field."""

import json
from enum import StrEnum
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from schemas.problems import FieldProblem
from service.errors import BadRequest, Invalid, UnsupportedMedia

Model = TypeVar("Model", bound=BaseModel)
Choice = TypeVar("Choice", bound=StrEnum)

LIMIT_DEFAULT = 20
LIMIT_MAX = 100


async def parse(request: Request, model: type[Model]) -> Model:
    """The JSON body. Raises UnsupportedMedia, BadRequest (no JSON) or Invalid (not this model)."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMedia(f"send application/json, not {media_type or 'a body without content type'}")
    return validate(await request.body(), model)


async def parse_optional(request: Request, model: type[Model]) -> Model:
    """Like `parse`, where no body at all means all defaults."""
    return await parse(request, model) if await request.body() else model()


def validate(body: bytes, model: type[Model]) -> Model:
    """Raises BadRequest or Invalid."""
    _require_plain_json(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Invalid(problems(error)) from None


def problems(error: ValidationError) -> list[FieldProblem]:
    """What pydantic found, in our words: where, and what is wrong."""
    return [
        FieldProblem(
            field=".".join(map(str, detail["loc"])) or "body", message=detail["msg"].removeprefix("Value error, ")
        )
        for detail in error.errors(include_input=False, include_url=False)
    ]


def limit(request: Request) -> int:
    """How many entries a list may show; more than LIMIT_MAX is cut to it."""
    text = request.query_params.get("limit")
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise BadRequest("limit must be a number from 1 to 100")
    return min(int(text[:9]), LIMIT_MAX)


def choice(request: Request, name: str, choices: type[Choice]) -> Choice | None:
    """A query value out of a list, None when absent. Raises Invalid naming what is allowed."""
    text = request.query_params.get(name)
    return None if text is None else chosen(text, name, choices)


def chosen(text: str, name: str, choices: type[Choice]) -> Choice:
    """Raises Invalid naming what is allowed."""
    try:
        return choices(text)
    except ValueError:
        raise Invalid.field(name, f"must be one of {', '.join(choices)}") from None


def flag(request: Request, name: str) -> bool | None:
    """`true` or `false` in the query, None when absent. Raises Invalid."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if text not in {"true", "false"}:
        raise Invalid.field(name, "must be true or false")
    return text == "true"


def _require_plain_json(body: bytes) -> None:
    """Refuse what parsers disagree about: other encodings, duplicate keys, NaN, huge numbers, endless nesting."""
    try:
        json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_bounded)
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise BadRequest("the body has the same key twice in one object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise Invalid.field("body", f"{name} is no number that JSON knows")


def _bounded(digits: str) -> int:
    if len(digits) > 30:
        raise Invalid.field("body", f"a number of {len(digits)} digits is too large")
    return int(digits)
