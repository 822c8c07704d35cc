"""Where training finds its environments: `lobjax.env`, behind a name so that tests can offer others."""

from collections.abc import Callable
from typing import Any, NamedTuple

from lobjax.config import build
from lobjax.env import EnvConfig, make


class Tasks(NamedTuple):
    """env_config(section of a configuration) -> validated configuration; make(that) -> environment."""

    env_config: Callable[[Any], Any]
    make: Callable[[Any], Any]


MARKET = Tasks(lambda section: build(EnvConfig, section, "config.env"), make)
