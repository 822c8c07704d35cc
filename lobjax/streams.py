"""Standard streams as a command needs them: there, and able to take any character."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Run a command with streams that are there; what it printed has gone out when it ends, or an OSError says why not."""
    _open_missing()
    for stream in (sys.stdout, sys.stderr):
        # A terminal in ASCII shows '\xb1' where it has no plus-minus sign, and a name that is no text is shown by its bytes.
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def abandon() -> None:
    """Let go of what could not be written, which the interpreter would try to write again at its end."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stdout is sys.__stdout__:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)


def tell(line: str) -> None:
    """A line on standard error, if it still takes one."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def _open_missing() -> None:
    """Streams that were closed before the process began lead nowhere; a file opened later would take their number and what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        setattr(sys, name, open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115
