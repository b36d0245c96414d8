"""Every error of ours, each with the HTTP status it means.

QuizmillError                 500
|-- BadRequest                400   the request can't be read
|-- Forbidden                 403
|-- NotFound                  404   unknown, or someone else's
|-- TooSlow                   408   its body did not come
|-- Conflict                  409
|   `-- StateConflict         409   a state that does not allow the step
|-- TooLarge                  413
|-- UnsupportedMedia          415
|-- Stale                     412   someone else has changed it meanwhile
|-- VersionNeeded             428   a change without the version that it is of
|-- Invalid                   422   read, but not acceptable: names the fields
|-- Unavailable               503   the database does not answer, or a worker's provider
|-- ProviderFailed            502   what was asked of a worker failed at the provider
|-- DatabaseDamaged           500   the file can't be trusted any more
|-- LeaseLost                       a worker's write after its batch was taken over or ended
`-- SettingsInvalid                 the start is refused
"""

from typing import ClassVar

from schemas.problems import FieldProblem


class QuizmillError(Exception):
    """The root. The message is one sentence: what, which, and what to do."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"


class BadRequest(QuizmillError):
    status = 400
    title = "Bad request"


class Forbidden(QuizmillError):
    status = 403
    title = "Forbidden"


class NotFound(QuizmillError):
    status = 404
    title = "Not found"


class TooSlow(QuizmillError):
    status = 408
    title = "Request timeout"


class Conflict(QuizmillError):
    status = 409
    title = "Conflict"


class StateConflict(Conflict):
    title = "State does not allow this"


class TooLarge(QuizmillError):
    status = 413
    title = "Too large"


class UnsupportedMedia(QuizmillError):
    status = 415
    title = "Unsupported media type"


class Stale(QuizmillError):
    status = 412
    title = "Precondition failed"


class VersionNeeded(QuizmillError):
    status = 428
    title = "Precondition required"


class Invalid(QuizmillError):
    """One problem a field; `field` is a path such as `modules.0.text`."""

    status = 422
    title = "Invalid input"

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        return cls([FieldProblem(field=field, message=message)])


class Unavailable(QuizmillError):
    status = 503
    title = "Temporarily unavailable"


class ProviderFailed(QuizmillError):
    """What the provider of questions and topics answered, where waiting alone does not help."""

    status = 502
    title = "The provider failed"


class DatabaseDamaged(QuizmillError):
    """Waiting does not help: it is no Unavailable."""

    title = "Database damaged"


class LeaseLost(QuizmillError):
    title = "Lease lost"


class SettingsInvalid(QuizmillError):
    title = "Invalid setting"
