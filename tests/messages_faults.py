"""What can go wrong at the local Messages API, and which calls it happens to."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    # Answered with another status than 200.
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    SPEND_LIMIT = "spend_limit"
    SERVER_ERROR = "server_error"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    UNKNOWN_MODEL = "unknown_model"
    TOO_LARGE = "too_large"
    # Before the first byte.
    STALL = "stall"
    RESET = "reset"
    # Once `after` questions were sent.
    STALL_MIDWAY = "stall_midway"
    ONLY_PINGS = "only_pings"
    CUT_MIDWAY = "cut_midway"
    OVERLOADED_MIDWAY = "overloaded_midway"
    ENDED_EARLY = "ended_early"
    GARBLED = "garbled"
    MALFORMED = "malformed"
    CUT_OFF = "cut_off"
    REFUSAL = "refusal"
    TOO_FEW = "too_few"
    # A whole answer, but not the one that was asked for.
    PROSE = "prose"
    NO_QUESTIONS = "no_questions"
    DUPLICATES = "duplicates"
    BAD_EVIDENCE = "bad_evidence"
    WRONG_SCHEMA = "wrong_schema"
    # A good answer, `seconds` per question.
    SLOW = "slow"


REFUSED: dict[Fault, tuple[int, str, str]] = {
    Fault.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Fault.RATE_LIMITED: (429, "rate_limit_error", "This would exceed your organization's rate limit"),
    Fault.SPEND_LIMIT: (429, "rate_limit_error", "You have reached your monthly spend limit"),
    Fault.SERVER_ERROR: (500, "api_error", "Internal server error"),
    Fault.BAD_REQUEST: (400, "invalid_request_error", "max_tokens: must be at least 1"),
    Fault.UNAUTHORIZED: (401, "authentication_error", "invalid x-api-key"),
    Fault.FORBIDDEN: (403, "permission_error", "Your API key does not have permission to use this resource"),
    Fault.UNKNOWN_MODEL: (404, "not_found_error", "model: claude-unknown"),
    Fault.TOO_LARGE: (413, "request_too_large", "Request exceeds the maximum size"),
}
BREAKS = frozenset(
    {
        Fault.STALL_MIDWAY,
        Fault.ONLY_PINGS,
        Fault.CUT_MIDWAY,
        Fault.OVERLOADED_MIDWAY,
        Fault.ENDED_EARLY,
        Fault.GARBLED,
        Fault.MALFORMED,
        Fault.CUT_OFF,
        Fault.REFUSAL,
        Fault.TOO_FEW,
    }
)


@dataclass
class Rule:
    """The next `times` calls (None: all) about a module with `module` in its name go wrong, after `skip` good ones."""

    module: str
    fault: Fault
    times: int | None = None
    skip: int = 0
    after: int = 1
    seconds: float = 1.0
    message: str = ""

    def claims(self, module: str) -> bool:
        if self.module not in module or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def rule_of(text: str) -> Rule:
    """`Advanced Topics:overloaded:3`; without the number, always."""
    parts = re.fullmatch(r"(?P<module>.*):(?P<fault>[a-z_]+)(:(?P<times>\d+))?", text)
    if parts is None:
        raise ValueError(f"{text!r} is not MODULE:FAULT or MODULE:FAULT:TIMES")
    return Rule(parts["module"], Fault(parts["fault"]), int(parts["times"]) if parts["times"] else None)
