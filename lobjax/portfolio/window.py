"""A stretch of dates as decisions: the first at the close of the session before it, the last step ends at the open of its last session."""

from typing import NamedTuple

import numpy as np

from lobjax.errors import InputError


class Window(NamedTuple):
    """Decisions at the closes of sessions `first` .. `first + steps - 1`."""

    first: int
    steps: int


def window(sessions: np.ndarray, since: str | None = None, until: str | None = None) -> Window:
    """The decisions of the sessions from `since` to `until`, both included (None: all). InputError where they make no step."""
    start = 0 if since is None else int(np.searchsorted(sessions, _date("--from", since), side="left"))
    # A date means all of its bars.
    end = len(sessions) if until is None else int(np.searchsorted(sessions, _date("--until", until) + 1, side="left"))
    first = max(start - 1, 0)
    steps = end - 1 - max(start, 1)
    if steps < 1:
        span = f"{sessions[0]} to {sessions[-1]}, {len(sessions)} sessions" if len(sessions) else "nothing"
        raise InputError(
            f"--from {since} --until {until}: no two sessions of the prices in a row after a first one (they hold {span})"
        )
    return Window(first, steps)


def _date(name: str, text: str) -> np.datetime64:
    try:
        found = np.datetime64(text, "D")
    except ValueError:
        found = np.datetime64("NaT")
    if np.isnat(found) or str(found) != text:
        raise InputError(f"{name} {text}: no date; write it as 2008-01-02")
    return found
