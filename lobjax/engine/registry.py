"""What an engine is to those who choose one: four functions under a name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lobjax.engine.stream import StreamResult, Trace
from lobjax.types import Message


def _nothing(*_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine for streams `[B, M]` of NumPy int32 over B empty books.

    run, trace: (messages, capacity) -> `StreamResult`, `Trace`; refusal: (capacity, or None for any) -> why the engine cannot run
    here and what to do, in words that end an error's line, or None if it can; suits: () -> why `auto` takes it here, in words,
    if it can run; None where `auto` does not.
    """

    run: Callable[[Message, int], StreamResult]
    trace: Callable[[Message, int], Trace]
    refusal: Callable[[int | None], str | None] = _nothing
    suits: Callable[[], str | None] = _nothing


def from_module(path: str) -> Engine:
    """An engine whose module has these functions, `refusal` and `suits` if it likes; imported when one of them is first called."""

    def later(name: str) -> Callable:
        def call(*args: Any) -> Any:
            return getattr(import_module(path), name, _nothing)(*args)

        return call

    return Engine(run=later("run"), trace=later("trace"), refusal=later("refusal"), suits=later("suits"))
