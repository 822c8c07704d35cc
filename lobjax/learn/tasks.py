"""Where training finds its environments: `lobjax.tasks`, behind a name so that tests can offer others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from lobjax.config import build
from lobjax.tasks import EnvConfig, for_evaluation, make


def _with_flow(config: Any, flow: Any) -> Any:
    """As configured, in other flow; without rewards that look ahead, which an evaluation must not contain."""
    return replace(for_evaluation(config), flow=flow)


class Tasks(NamedTuple):
    """env_config(section of a configuration) -> validated configuration; make(that) -> environment; with_flow: other flow in it."""

    env_config: Callable[[Any], Any]
    make: Callable[[Any], Any]
    with_flow: Callable[[Any, Any], Any] = _with_flow


MARKET = Tasks(lambda section: build(EnvConfig, section, "config.env"), make)
