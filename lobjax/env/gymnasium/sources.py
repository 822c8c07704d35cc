"""From what a caller names to a configuration of an environment."""

from pathlib import Path
from typing import Any

from lobjax import plugins
from lobjax.config import build, load_yaml, override, to_dict
from lobjax.env.gymnasium.arguments import InvalidArgument, shown
from lobjax.errors import InputError
from lobjax.tasks import EnvConfig


def config_of(config: Any, assignments: tuple[str, ...] | str = (), task: str | None = None) -> EnvConfig:
    """The section `env` of a YAML file, or an `EnvConfig`, with `assignments` applied; None: the default one of a `task`.

    InputError if it is bad, or of another task.
    """
    changes = [assignments] if isinstance(assignments, str) else [*assignments]
    if isinstance(config, EnvConfig) and not changes:
        made = config
    else:
        data = override(_mapping(config, task), changes)
        if "env" not in data:
            raise InputError(f"{config}: no section 'env'; name a training configuration, or write one")
        made = build(EnvConfig, data["env"], "config.env")
    if task is not None and made.task.kind != task:
        raise InvalidArgument(
            f"config: its task is {made.task.kind}, this id is for {task}; lobjax/Market-v0 takes any"
        )
    return made


def _mapping(config: Any, task: str | None) -> dict[str, Any]:
    if isinstance(config, EnvConfig):
        return {"env": to_dict(config)}
    if isinstance(config, (str, Path)):
        data = load_yaml(config)
        plugins.load_named(data)
        return data
    if config is None and task is not None:
        return {"env": {"task": {"kind": task}}}
    raise InvalidArgument(
        f"config: {shown(config)}; give the path of a YAML file with a section 'env', or an EnvConfig"
    )
