"""Who is asking. Without authentication everyone on this machine is the same owner."""

from starlette.requests import HTTPConnection

LOCAL_OWNER = "local"


def owner_of(_connection: HTTPConnection) -> str:
    """Whose things this request may see and change."""
    return LOCAL_OWNER
