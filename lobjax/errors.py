"""Errors that a user can act on: one line that says what is wrong, where, and what to do; exit status 2."""

import difflib
import errno
import re
import sys
from collections.abc import Callable, Iterable
from functools import wraps

_CANNOT_WRITE = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
)  # fmt: skip


_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)  # what no file can be called, or a link to itself
_LONG = 300
_WORD = re.compile(rf"\S{{{_LONG},}}")


class InputError(Exception):
    """Bad input from outside (a file, a configuration, an argument). The message is one line, made so whatever names are in it."""

    def __init__(self, message: object) -> None:
        super().__init__(
            one_line(str(message))
        )  # other libraries make one from one, to raise it again in another process


def one_line(text: str) -> str:
    """A text without line ends, with what cannot be printed (controls, halves of characters) written as escapes, and names cut short."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))
    return text if len(text) <= _LONG else _WORD.sub(lambda word: _short(word[0]), text)


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
            where = f" '{one_line(str(error.filename))}'" if error.filename else ""
            if error.errno in _NO_NAME:
                print(f"error: cannot use{where}: {error.strerror}; choose another name", file=sys.stderr)
                raise SystemExit(2) from None
            if error.errno not in _CANNOT_WRITE:
                raise
            print(f"error: cannot write{where}: {error.strerror}; free space or choose another place", file=sys.stderr)
            raise SystemExit(2) from None

    return guarded


def _short(text: str) -> str:
    return text if len(text) < _LONG else f"{text[:140]}...{text[-140:]}"
