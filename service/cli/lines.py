"""The progress of a generation in lines, one a change, for where no terminal draws bars."""

from collections.abc import Callable
from types import TracebackType

from schemas.generations import Batch, Generation
from service.cli.stream import StreamEvent


def batch_name(batch: Batch) -> str:
    difficulty = f", {batch.difficulty}" if batch.difficulty else ""
    return f"{batch.module_name}: {batch.question_type}{difficulty}"


class Lines:
    """`write` is given one line at a time."""

    def __init__(self, found: Generation, write: Callable[[str], None]) -> None:
        self._write = write
        self._names = {str(batch.id): batch_name(batch) for batch in found.batches}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def apply(self, event: StreamEvent) -> None:
        """Tell what changed. A question that was rejected changes nothing, and the end is the command's to tell."""
        if event.type in {"snapshot", "resync"}:
            self._write(f"{event.data['status']}: {event.data['message']}")
        elif event.type.startswith("generation.") and not event.is_last:
            self._write(_generation(event))
        elif (name := self._names.get(str(event.data.get("batch_id")))) and (change := _change(event)):
            self._write(f"{name}: {change}")


def _generation(event: StreamEvent) -> str:
    kind = event.type.removeprefix("generation.")
    return f"{kind} ({event.data['reason']})" if "reason" in event.data else kind


def _change(event: StreamEvent) -> str | None:
    data = event.data
    change = None
    match event.type:
        case "batch.started":
            change = f"attempt {data['attempt']}"
        case "question.accepted":
            change = f"{data['held_count']} of {data['target_count']}"
        case "batch.retrying":
            change = f"waits {data['delay_seconds']:g} s: {data['code']}"
        case "batch.completed":
            change = f"saved {data['saved_count']} of {data['target_count']}"
        case "batch.failed":
            error = data["error"]
            assert isinstance(error, dict), "CONTRACT 5: error is {code, message}"
            change = f"failed: {error['code']}: {error['message']}"
        case "batch.requeued":
            change = f"waiting ({data['reason']})"
    return change
