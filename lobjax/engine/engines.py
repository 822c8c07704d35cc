"""The engines of streams by name, and which one to take."""

from collections.abc import Callable

from lobjax.engine.interface import Candidate, Choice, StreamEngine, pick
from lobjax.errors import InputError
from lobjax.registry import Registry
from lobjax.types import MAX_CAPACITY


def _kernel() -> StreamEngine:
    from lobjax.engine.kernel.engine import ENGINE

    return ENGINE


def _host() -> StreamEngine:
    from lobjax.engine.host.engine import ENGINE

    return ENGINE


def _xla() -> StreamEngine:
    from lobjax.engine.xla import ENGINE

    return ENGINE


def _reference() -> StreamEngine:
    from lobjax.engine.reference import ENGINE

    return ENGINE


# `auto` takes the first that suits and can run. Imported when first asked for, so that the reference runs without JAX.
ENGINES: Registry[Callable[[], StreamEngine]] = Registry(
    "engine", {"kernel": _kernel, "host": _host, "xla": _xla, "reference": _reference}
)


def choose(engine: str = "auto", capacity: int | None = None) -> Choice:
    """The engine to run: the one named, or by `auto` the best that can run here, for books of `capacity` orders a side.

    InputError if the engine is unknown or cannot run here, or the capacity is out of range (1 to 512).
    """
    if capacity is not None and not 1 <= capacity <= MAX_CAPACITY:
        raise InputError(f"capacity: {capacity} is out of range; choose 1 to {MAX_CAPACITY} orders a side")

    def candidate(load: Callable[[], StreamEngine]) -> Candidate:
        return Candidate(suits=lambda: load().suits(), refusal=lambda: load().refusal(capacity))

    return pick(engine, {name: candidate(load) for name, load in ENGINES.items()})
