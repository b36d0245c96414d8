"""How a service says no, or nothing at all."""

import httpx

from service.errors import QuizmillError


class ServiceRefused(QuizmillError):
    """The service answered with a problem: its words are ours."""


class ServiceAway(QuizmillError):
    """Nobody answers there."""


def require_success(response: httpx.Response) -> None:
    """Raises ServiceRefused."""
    if response.is_success:
        return
    response.read()
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase
    raise ServiceRefused(f"{response.status_code}: {detail}")
