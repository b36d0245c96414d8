"""Errors as clients see them: RFC 9457 problem details."""

from schemas.base import Frozen


class FieldProblem(Frozen):
    field: str
    message: str


class Problem(Frozen):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] | None = None
