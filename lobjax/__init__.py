"""lobjax: thousands of real limit order books on one device, the flow that moves them and the agents that trade in them.

What is named here is imported when it is first asked for, so that `import lobjax` waits for neither JAX nor Numba. So are the packages:
`import lobjax` is enough for `lobjax.book.views.depth`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lobjax import caching, forking

if TYPE_CHECKING:
    from lobjax.book import Book, step
    from lobjax.env import Environment
    from lobjax.kinds import Kind
    from lobjax.learn import train
    from lobjax.policy import load_policy
    from lobjax.results import compare
    from lobjax.tasks import EnvConfig, make
    from lobjax.types import Message, Side

__version__ = "0.6.0"

_HOMES = {
    "Book": "lobjax.book",
    "EnvConfig": "lobjax.tasks",
    "Environment": "lobjax.env",
    "Kind": "lobjax.kinds",
    "Message": "lobjax.types",
    "Side": "lobjax.types",
    "compare": "lobjax.results",
    "load_policy": "lobjax.policy",
    "make": "lobjax.tasks",
    "step": "lobjax.book",
    "train": "lobjax.learn",
}
_PACKAGES = (
    "audit", "book", "data", "engine", "env", "evaluation", "flow", "forecast", "learn", "market", "nets", "policy", "reference", "results",
    "risk", "snapshot", "strategies", "tasks", "torch_port", "trace", "types",
)  # fmt: skip

__all__ = [
    "Book", "EnvConfig", "Environment", "Kind", "Message", "Side", "__version__", "compare", "load_policy", "make", "step", "train",
]  # fmt: skip

caching.set_up()
forking.watch()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _PACKAGES:
        return import_module(f"lobjax.{name}")
    raise AttributeError(f"module 'lobjax' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*__all__, *_PACKAGES})
