"""What an engine is to those who choose one, four functions under a name; and how one is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from lobjax.engine.stream import StreamResult, StreamTrace
from lobjax.errors import InputError, nearest
from lobjax.types import Message


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine for streams `[B, M]` of NumPy int32 over B empty books.

    run, trace: (messages, capacity) -> `StreamResult`, `StreamTrace`; refusal: (capacity, or None for any) -> why the engine cannot run
    here and what to do, in words that end an error's line, or None if it can; suits: () -> why `auto` takes it here, in words,
    if it can run; None where `auto` does not.
    """

    run: Callable[[Message, int], StreamResult]
    trace: Callable[[Message, int], StreamTrace]
    refusal: Callable[[int | None], str | None] = _nothing
    suits: Callable[[], str | None] = _nothing


def from_module(path: str) -> Engine:
    """An engine whose module has these functions, `refusal` and `suits` if it likes; imported when one of them is first called."""

    def later(name: str) -> Callable:
        def call(*args: Any) -> Any:
            return getattr(import_module(path), name, _nothing)(*args)

        return call

    return Engine(run=later("run"), trace=later("trace"), refusal=later("refusal"), suits=later("suits"))


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
