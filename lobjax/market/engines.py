"""The engines of a market's step by name, and which one to take."""

from collections.abc import Callable

from lobjax.engine import Choice
from lobjax.engine.interface import Candidate, pick
from lobjax.flow.base import Flow
from lobjax.market.interface import MarketEngine
from lobjax.registry import Registry


def _kernel() -> MarketEngine:
    from lobjax.market.kernel.engine import ENGINE

    return ENGINE


def _host() -> MarketEngine:
    from lobjax.market.host.engine import ENGINE

    return ENGINE


def _xla() -> MarketEngine:
    from lobjax.market.xla.engine import ENGINE

    return ENGINE


# `auto` takes the first that suits and can run. Imported when first asked for, since Numba starts threads.
ENGINES: Registry[Callable[[], MarketEngine]] = Registry("engine", {"kernel": _kernel, "host": _host, "xla": _xla})


def choose(engine: str, flow: Flow) -> Choice:
    """The engine named, or by `auto` the best that can run here for this flow. InputError if it is unknown or cannot run."""

    def candidate(load: Callable[[], MarketEngine]) -> Candidate:
        return Candidate(suits=lambda: load().suits(), refusal=lambda: load().refusal(flow))

    return pick(engine, {name: candidate(load) for name, load in ENGINES.items()})
