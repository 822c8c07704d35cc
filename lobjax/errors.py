"""Errors that a user can act on: one line that says what is wrong, where, and what to do; exit status 2."""

import difflib
import re
from collections.abc import Iterable

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


def _short(text: str) -> str:
    return text if len(text) < _LONG else f"{text[:140]}...{text[-140:]}"
