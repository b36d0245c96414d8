"""Programs that tests need beside Python and a browser; `python -m tests.programs --install` gets what is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parent
NODE_MODULES = TESTS / "node_modules"
# A program, and the Debian package that has it.
PACKAGES = {
    "bash": "bash",
    "node": "nodejs",
    "npm": "npm",
    "curl": "curl",
    "openssl": "openssl",
    "nginx": "nginx-light",
    "caddy": "caddy",
}
POLICY = Path("/usr/sbin/policy-rc.d")
# Debian keeps servers where only root looks.
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))


def path(name: str) -> str:
    """Where a program is. Fails in words when it is missing."""
    found = find(name)
    assert found, f"{name} is not installed: `make install-test` as root gets it, or install {PACKAGES[name]} yourself"
    return found


def find(name: str) -> str | None:
    return shutil.which(name, path=PLACES)


def install() -> None:
    """From Debian's packages where we may; what can't be had is named, and the tests that need it fail."""
    if _missing() and shutil.which("apt-get") and os.geteuid() == 0:
        with _nothing_started():
            subprocess.run(["apt-get", "update", "-q"], check=True)
            subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *_missing()], check=True)
    if _missing():
        sys.stderr.write(f"Tests of clients and proxies need {', '.join(_missing())}: please install them.\n")
    if npm := find("npm"):
        subprocess.run([npm, "ci", "--prefix", str(TESTS), "--no-audit", "--no-fund", "--loglevel=error"], check=True)


def _missing() -> list[str]:
    return [package for name, package in PACKAGES.items() if not find(name)]


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Debian starts the servers that it installs, which would then serve this machine on port 80."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


if __name__ == "__main__":
    assert sys.argv[1:] == ["--install"], "usage: python -m tests.programs --install"
    install()
