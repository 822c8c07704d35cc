"""Where training finds its environments: `lobjax.env`, behind a name so that tests can offer others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from lobjax.config import build
from lobjax.env import EnvConfig, SnapshotConfig, make


def _with_flow(config: Any, flow: Any) -> Any:
    """As configured, in other flow; without rewards that look ahead, which an evaluation must not contain."""
    if isinstance(config.task, SnapshotConfig):
        config = replace(config, task=replace(config.task, reward="value"))
    return replace(config, flow=flow)


class Tasks(NamedTuple):
    """env_config(section of a configuration) -> validated configuration; make(that) -> environment; with_flow: other flow in it."""

    env_config: Callable[[Any], Any]
    make: Callable[[Any], Any]
    with_flow: Callable[[Any, Any], Any] = _with_flow


MARKET = Tasks(lambda section: build(EnvConfig, section, "config.env"), make)
