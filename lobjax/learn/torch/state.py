"""The state of a torch run as arrays, for `lobjax.learn.checkpoint`: whole, whatever number of processes holds it.

`shared.*` is the same on every process: weights, the optimiser's moments, scales of FP8, statistics, key, count of updates. `local.*`
leads with the environments.
"""

from dataclasses import fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from lobjax.learn.checkpoint import to_arrays
from lobjax.learn.rollout import Local
from lobjax.learn.torch.group import Group
from lobjax.learn.torch.learner import TorchState
from lobjax.nets.statistics import Statistics
from lobjax.settings import IMPLEMENTATION
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.crossing import to_torch


def gather(state: TorchState, group: Group) -> dict[str, np.ndarray] | None:
    """The whole state on the first process; None on others. Every process calls it."""
    local = group.gathered({**to_arrays(state.local), **_memory(state.cache)})
    if not group.first():
        return None
    shared = {
        **{f"weights.{name}": _host(p) for name, p in state.agent.named_parameters()},
        **{f"scales.{name}": _host(b) for name, b in state.agent.named_buffers()},
        **_moments(state),
        **{f"statistics.{name}": np.asarray(x) for name, x in vars(state.statistics).items()},
        **{
            f"returns.{name}": np.asarray(x)
            for name, x in ({} if state.returns is None else vars(state.returns)).items()
        },
        "key": np.asarray(jax.random.key_data(state.key)),
        "update": np.asarray(state.update, np.int32),
    }
    return {f"shared.{name}": x for name, x in shared.items()} | {f"local.{name}": x for name, x in local.items()}


def scatter(arrays: dict[str, np.ndarray], state: TorchState, group: Group, n_envs: int) -> None:
    """Put what `gather` gave into a fresh state of the same configuration; each process takes its environments."""
    shared, local = (
        {name.removeprefix(part): x for name, x in arrays.items() if name.startswith(part)}
        for part in ("shared.", "local.")
    )
    with torch.no_grad():
        for name, tensor in state.agent.named_parameters():
            tensor.copy_(to_torch(shared[f"weights.{name}"], tensor.device))
        for name, tensor in state.agent.named_buffers():
            tensor.copy_(to_torch(shared[f"scales.{name}"], tensor.device))
    state.optimiser.load_state_dict(_optimiser(state, shared))
    state.statistics = _statistics(shared, "statistics")
    if state.returns is not None:
        state.returns = _statistics(shared, "returns")
    state.key = jax.random.wrap_key_data(jnp.asarray(shared["key"]), impl=IMPLEMENTATION)
    state.update = int(shared["update"])
    part = group.part(n_envs)
    mine = {k: np.asarray(x) if np.ndim(x) == 0 else np.asarray(x)[part] for k, x in local.items()}
    state.cache = _cache(mine, state.cache, group)
    state.local = _local(mine, state.local)


def _statistics(shared: dict[str, np.ndarray], name: str) -> Statistics:
    return Statistics(**{each.name: jnp.asarray(shared[f"{name}.{each.name}"]) for each in fields(Statistics)})


def _host(x: torch.Tensor) -> np.ndarray:
    # NumPy has no bfloat16; float32 holds it exactly.
    return (x.float() if x.dtype == torch.bfloat16 else x).detach().cpu().numpy().copy()


def _moments(state: TorchState) -> dict[str, np.ndarray]:
    """Adam's state of every parameter; zeros before the first step, so that every checkpoint has the same names."""
    found: dict[str, np.ndarray] = {}
    for name, parameter in state.agent.named_parameters():
        own = state.optimiser.state.get(parameter, {})
        blank = torch.zeros_like(parameter)
        found |= {
            f"moments.{name}.step": _host(own.get("step", torch.zeros(()))),
            f"moments.{name}.first": _host(own.get("exp_avg", blank)),
            f"moments.{name}.second": _host(own.get("exp_avg_sq", blank)),
        }
    return found


def _optimiser(state: TorchState, shared: dict[str, np.ndarray]) -> dict[str, Any]:
    names = [name for name, _ in state.agent.named_parameters()]
    entries = {
        i: {
            "step": torch.tensor(float(shared[f"moments.{name}.step"])),
            "exp_avg": torch.from_numpy(np.array(shared[f"moments.{name}.first"])),
            "exp_avg_sq": torch.from_numpy(np.array(shared[f"moments.{name}.second"])),
        }
        for i, name in enumerate(names)
    }
    return {"state": entries, "param_groups": state.optimiser.state_dict()["param_groups"]}


def _memory(cache: Cache) -> dict[str, np.ndarray]:
    layers = {f"cache.keys.{i}": _host(x) for i, x in enumerate(cache.keys)}
    layers |= {f"cache.values.{i}": _host(x) for i, x in enumerate(cache.values)}
    return {**layers, "cache.valid": _host(cache.valid), "cache.position": np.asarray(cache.position, np.int32)}


def _cache(arrays: dict[str, np.ndarray], like: Cache, group: Group) -> Cache:
    def layers(name: str) -> tuple[torch.Tensor, ...]:
        kind = like.keys[0].dtype
        return tuple(to_torch(arrays[f"cache.{name}.{i}"], group.device).to(kind) for i in range(len(like.keys)))

    valid = to_torch(arrays["cache.valid"], group.device)
    return Cache(layers("keys"), layers("values"), valid, int(arrays["cache.position"]))


def _local(arrays: dict[str, np.ndarray], like: Local) -> Local:
    leaves = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(like):
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        if leaf.size == 0:
            leaves.append(leaf)
            continue
        array = jnp.asarray(arrays[name])
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        leaves.append(jax.random.wrap_key_data(array, impl=IMPLEMENTATION) if is_key else array)
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
