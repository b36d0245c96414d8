"""The simulator as a child process."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_URL = re.compile(r"http://\S+")


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Its base URL, while it runs. The arguments are those of `python -m bench.simulator`."""
    command = [sys.executable, "-m", "bench.simulator", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None, "stdout is a pipe"
        found = _URL.search(process.stdout.readline())
        assert found, "the simulator ended before it was ready"
        yield found[0]
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None, "stdout is a pipe"
        process.stdout.close()
