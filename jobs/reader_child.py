"""The process that reads one file of a stranger and ends: with little memory, little time and no way to write.

`python -m jobs.reader_child MEMORY_BYTES CPU_SECONDS WALL_SECONDS`. Standard input: a line of JSON (`name`, `can_see`,
`seen`), then the file. Standard output: lines of JSON `{"page", "pages"}`, at last `{"bytes"}` and so many bytes of
JSON: `{"modules", "notes", "pictures"}`, or `{"refusal", "has_no_text"}`, or `{"broken"}`.
"""

import base64
import json
import os
import resource
import signal
import sys
import time
import traceback

TELL_SECONDS = 0.2
NICE = 5
OPEN_FILES_MAX = 64


def main() -> None:
    memory_bytes, cpu_seconds, wall_seconds = map(int, sys.argv[1:4])
    _limit(memory_bytes, cpu_seconds, wall_seconds)
    order = json.loads(sys.stdin.buffer.readline())
    outcome = json.dumps(_outcome(order, sys.stdin.buffer.read())).encode()
    sys.stdout.buffer.write(json.dumps({"bytes": len(outcome)}).encode() + b"\n" + outcome)
    sys.stdout.buffer.flush()


def _limit(memory_bytes: int, cpu_seconds: int, wall_seconds: int) -> None:
    """Before anything of the file is looked at."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    if sys.platform == "linux":  # others refuse a limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Whoever waits for the outcome may have died.
    signal.alarm(wall_seconds)
    os.nice(NICE)


def _outcome(order: dict[str, object], content: bytes) -> dict[str, object]:
    # The readers are large, and come in only under the limits.
    from jobs import extraction  # noqa: PLC0415
    from jobs.formats.base import Eyes, NoText  # noqa: PLC0415

    seen = order["seen"]
    assert seen is None or isinstance(seen, dict), "texts by the keys of pictures"
    eyes = Eyes(can_see=bool(order["can_see"]), seen=seen)
    try:
        reading = extraction.read(str(order["name"]), content, tell=_Teller().tell, eyes=eyes)
    except extraction.UnreadableMaterial as error:
        return {"refusal": str(error), "has_no_text": isinstance(error, NoText)}
    except MemoryError:
        return {"refusal": f"{order['name']} can't be read: it takes more memory than a file may", "has_no_text": False}
    except Exception:  # noqa: BLE001 # the outermost loop of this process: whoever waits records it
        return {"broken": traceback.format_exc()}
    return {
        "modules": [module.model_dump() for module in reading.modules],
        "notes": reading.notes,
        "pictures": [{"key": one.key, "content": base64.b64encode(one.content).decode()} for one in reading.pictures],
    }


class _Teller:
    """Tells how far it is, but not all the time."""

    def __init__(self) -> None:
        self._last = 0.0

    def tell(self, page: int, pages: int) -> None:
        now = time.monotonic()
        if now - self._last >= TELL_SECONDS or page == pages:
            self._last = now
            sys.stdout.buffer.write(json.dumps({"page": page, "pages": pages}).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
