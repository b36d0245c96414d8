"""Finds a Chromium for the browser tests; `python -m tests.browser --install` gets one where none is."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The browser talks to nobody but the page under test.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """The browser named by QUIZMILL_CHROMIUM or found on the PATH; None: Playwright's own, if it is installed."""
    return os.environ.get("QUIZMILL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    """From Debian's packages where we may, else Playwright's own build."""
    if path():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], check=True)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    assert sys.argv[1:] == ["--install"], "usage: python -m tests.browser --install"
    install()
