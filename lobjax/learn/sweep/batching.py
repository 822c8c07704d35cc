"""Which values are data to a compiled program: runs that differ in these alone, and in the seed, are members of one batch."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.config import to_dict
from lobjax.learn.config import TrainConfig
from lobjax.learn.tasks import Tasks

# The one list. Numbers of the algorithm become traced scalars; a bound that is None is off, which is another program.
ALGORITHM = (
    "learning_rate",
    "discount",
    "trace_decay",
    "clip",
    "value_clip",
    "value_coefficient",
    "entropy_coefficient",
    "target_kl",
    "max_gradient_norm",
)
# Numbers of the environment are leaves of its parameters already.
ENVIRONMENT = (
    "env.task.inventory_penalty",
    "env.market.maker_fee_milliticks",
    "env.market.taker_fee_milliticks",
    "env.market.feed_delay_ns",
    "env.market.order_delay_ns",
)
VMAPPABLE = (*(f"algorithm.{name}" for name in ALGORITHM), *ENVIRONMENT)
# What a sweep does not look at; a key of these would make trials that do not differ.
WITHOUT_EFFECT = ("seed", "devices", "checkpoint_every", "evaluation")


def signature(config: TrainConfig) -> str:
    """What a compiled program depends on: the configuration without the values that are data to it. Equal where a program can be shared."""
    plain = to_dict(config)
    for key in VMAPPABLE:
        *parents, leaf = key.split(".")
        node = plain
        for parent in parents:
            node = node.get(parent) if isinstance(node, dict) else None
        if isinstance(node, dict) and node.get(leaf) is not None:
            node[leaf] = "traced"
    return json.dumps({name: value for name, value in plain.items() if name not in WITHOUT_EFFECT}, sort_keys=True)


def numbers(config: TrainConfig) -> dict[str, float]:
    """The algorithm's numbers that are data to a program."""
    found = {name: getattr(config.algorithm, name, None) for name in ALGORITHM}
    return {name: value for name, value in found.items() if value is not None}


def with_numbers(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """The configuration with other numbers, which may be traced.

    They are not validated again: that happened when each member's own configuration was built, and a traced number cannot be compared.
    """
    algorithm = copy.copy(config.algorithm)
    for name, value in values.items():
        object.__setattr__(algorithm, name, value)  # frozen; and `replace` would run the checks
    changed = copy.copy(config)
    object.__setattr__(changed, "algorithm", algorithm)
    return changed


def stack_numbers(configs: Sequence[TrainConfig]) -> dict[str, jax.Array]:
    """The numbers of runs of one signature: f32[runs] each."""
    rows = [numbers(config) for config in configs]
    return {name: jnp.asarray([row[name] for row in rows], jnp.float32) for name in rows[0]}


def stack_constants(constants: Sequence[Any]) -> tuple[Any, Any]:
    """Environment parameters of runs, and their axes for `vmap`: a leaf that is the same in all is kept once, axis None."""
    columns = [jax.tree.leaves(each) for each in constants]
    tree = jax.tree.structure(constants[0])
    stacked, axes = [], []
    for leaves in zip(*columns, strict=True):
        same = all(x is leaves[0] or np.array_equal(x, leaves[0]) for x in leaves)
        stacked.append(leaves[0] if same else jnp.stack(leaves))
        axes.append(None if same else 0)
    return tree.unflatten(stacked), tree.unflatten(axes)


def constants_of(constants: Any, axes: Any, run: Any) -> Any:
    """One run's environment parameters, of those that `stack_constants` gave."""
    leaves, tree = jax.tree.flatten(constants)
    mapped = tree.flatten_up_to(axes)  # not its leaves: parameters that an environment does not have are None too
    return tree.unflatten([x if axis is None else x[run] for x, axis in zip(leaves, mapped, strict=True)])


def environments(tasks: Tasks) -> Callable[[Any], Any]:
    """`tasks.make`, which makes an environment only once for each configuration (a recorded one may be long)."""
    made: dict[str, Any] = {}

    def make(config: Any) -> Any:
        key = json.dumps(to_dict(config), sort_keys=True, default=str)
        if key not in made:
            made[key] = tasks.make(config)
        return made[key]

    return make
