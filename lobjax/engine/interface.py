"""What an engine of streams is, four functions, all of which an engine has; and how one engine of several is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.errors import InputError, nearest
from lobjax.types import Message


@dataclass(frozen=True, kw_only=True)
class StreamEngine:
    """An engine for streams `[B, M]` of NumPy int32 over B empty books.

    run, trace: (messages, capacity) -> `StreamResult`, `StreamTrace`; refusal: (capacity, or None for any) -> why the engine cannot run
    here and what to do, in words that end an error's line, or None if it can; suits: () -> why `auto` takes it here, in words,
    if it can run; None where `auto` does not.
    """

    run: Callable[[Message, int], StreamResult]
    trace: Callable[[Message, int], StreamTrace]
    refusal: Callable[[int | None], str | None]
    suits: Callable[[], str | None]


class Choice(NamedTuple):
    """The engine taken, and why, in words."""

    engine: str
    reason: str


class Candidate(NamedTuple):
    """An engine's answers, for one case: why `auto` takes it here (None where it does not), and why it cannot run (None if it can)."""

    suits: Callable[[], str | None]
    refusal: Callable[[], str | None]


def pick(engine: str, candidates: Mapping[str, Candidate]) -> Choice:
    """The candidate named, or by `auto` the first that suits and can run. InputError if it is unknown or cannot run."""
    if engine == "auto":
        refused = ""
        for name, candidate in candidates.items():
            if not (why := candidate.suits()):
                continue
            if not (why_not := candidate.refusal()):
                return Choice(name, why + refused)
            refused += f"; {name} cannot run, as {why_not}"
        raise InputError(f"engine: none can run here{refused}")
    if engine not in candidates:
        raise InputError(f"engine: unknown engine '{engine}'; {nearest(engine, [*candidates, 'auto'])}")
    if why_not := candidates[engine].refusal():
        raise InputError(f"engine: {engine} cannot run, as {why_not}")
    return Choice(engine, "as asked")
