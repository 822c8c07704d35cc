"""From a configuration to an environment."""

from dataclasses import replace

from lobjax.env import Environment
from lobjax.errors import InputError
from lobjax.registry import entry_of
from lobjax.settings import settled
from lobjax.tasks.config import EnvConfig
from lobjax.tasks.registry import TASKS


@settled
def make(config: EnvConfig | None = None) -> Environment:
    """The environment that a configuration describes. InputError if its parts do not fit each other or a file is bad."""
    config = EnvConfig() if config is None else config
    spec = entry_of(TASKS, config.task)
    env = spec.make(config)
    if env.name != spec.name:
        raise InputError(f"task '{spec.name}': its environments are called '{env.name}'; call both alike")
    return replace(env, measures=spec.measures)


def for_evaluation(config: EnvConfig) -> EnvConfig:
    """The same environment without rewards that look ahead, which an evaluation must not contain."""
    return replace(config, task=entry_of(TASKS, config.task).for_evaluation(config.task))
