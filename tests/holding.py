"""Other processes that write a folder, for tests of locks: each says when it is there, and goes on when it is told."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLD = """
import sys
from lobjax import files, locks
with locks.held(sys.argv[1]), files.whole_folder(sys.argv[1], replace=True) as begun:
    (begun / "part").write_text("half")
    print("held", flush=True)
    sys.stdin.readline()
    raise SystemExit
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    """A process of Python code, its three streams as pipes of text."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@contextmanager
def writer(folder: Path) -> Iterator[subprocess.Popen]:
    """A process in the middle of writing a folder anew; killed at the end of the block, if it still lives."""
    process = start(_HOLD, folder)
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n", process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()
