"""The engines of a market's step by name: all give the same numbers, to the bit."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from lobjax.engine import Choice
from lobjax.engine.registry import Candidate, pick
from lobjax.flow.base import Flow

# `auto` takes the first that suits and can run. A module has `market_step`, and if it likes `refusal(flow)` (why it cannot run here),
# `suits()` (why `auto` takes it), `draws(key)` (whether it takes a key in place of random words) and `opened(state)` (a market at its
# opening, in the engine's own form). Imported when first used, since Numba starts threads.
ENGINES = {"kernel": "lobjax.market.kernel", "host": "lobjax.market.host", "xla": "lobjax.market.loop"}


def choose(engine: str, flow: Flow) -> Choice:
    """The engine named, or by `auto` the best that can run here for this flow. InputError if it is unknown or cannot run."""
    return pick(
        engine,
        {name: Candidate(partial(_ask, name, "suits"), partial(_ask, name, "refusal", flow)) for name in ENGINES},
    )


def module(engine: str) -> ModuleType:
    """The module of an engine."""
    return import_module(ENGINES[engine])


def _ask(engine: str, name: str, *arguments: Any) -> str | None:
    answer: Callable[..., str | None] | None = getattr(module(engine), name, None)
    return answer(*arguments) if answer else None
