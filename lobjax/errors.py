"""Errors that a user can act on: one line that says what is wrong, where, and what to do; exit status 2."""

import difflib
import errno
import sys
from collections.abc import Callable, Iterable
from functools import wraps

_CANNOT_WRITE = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
)  # fmt: skip


class InputError(Exception):
    """Bad input from outside (a file, a configuration, an argument). The message is one line."""


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint naming the known word nearest to `name`: `did you mean 'x'?`, or the list of what is known."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"


def exits_cleanly(main: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command's main: an InputError or a full disk ends it with one line on standard error and status 2."""

    @wraps(main)
    def guarded(*args, **kwargs) -> None:
        try:
            main(*args, **kwargs)
        except InputError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            raise SystemExit(2) from None
        except OSError as error:
            if error.errno not in _CANNOT_WRITE:
                raise
            where = f" '{error.filename}'" if error.filename else ""
            print(f"error: cannot write{where}: {error.strerror}; free space or choose another place", file=sys.stderr)
            raise SystemExit(2) from None

    return guarded
