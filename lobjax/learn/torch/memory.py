"""About how much memory a torch run takes: environments where JAX has them, the network where torch has it, which may be one memory."""

from typing import Any

import torch

from lobjax.env.memory import numbers_part
from lobjax.learn import memory
from lobjax.learn.config import TrainConfig
from lobjax.learn.torch.group import Group, processes_here
from lobjax.memory import Estimate, Part, free_bytes, machine_bytes

_RINGS = 3  # of the network's memory: before the rollout, before a step, and after it
_ROLLOUTS = 2  # row by row, and stacked
_WEIGHTS = 6  # parameters, Adam's two moments, gradients, and what a step of Adam makes of them


def checked(config: TrainConfig, env: Any, ours: Group) -> str:
    """How much memory training takes, in words; InputError where there is less."""
    needed = estimates(config, env, ours)
    for what, (estimate, free) in needed.items():
        estimate.check(what, free)
    return max((estimate for estimate, _ in needed.values()), key=lambda estimate: estimate.total).describe()


def estimates(config: TrainConfig, env: Any, ours: Group) -> dict[str, tuple[Estimate, int | None]]:
    """What this process's part takes of each memory, and how much of that is free: of one memory, or of JAX's and of torch's."""
    # Processes of one machine share what its CPUs compute in.
    beside = processes_here() if ours.device.type == "cpu" else 1
    part = ours.part(config.n_envs)
    of = memory.sizes(config, env, beside * (part.stop - part.start), beside)
    environments = {
        "environments": Part(of.states * (1 + memory.BANKED + config.bank_size) + of.words, memory.ENVIRONMENTS),
        "numbers of the environment": numbers_part(env.default_params),
    }
    network = {
        "the rollout": Part(_ROLLOUTS * of.rollout, memory.ROLLOUT),
        "the network's memory": Part(_RINGS * of.carry, memory.CARRY),
        "parameters": Part(beside * _WEIGHTS * of.weights, memory.WEIGHTS),
        "gradients of a minibatch": Part(beside * of.residuals, memory.RESIDUALS),
    }
    if _in_jax() == (ours.device.type == "cuda"):  # both compute on the CPU, or both on the GPU
        return {"this run": (Estimate(environments | network), _free(ours.device))}
    return {
        "this run's environments": (Estimate(environments), free_bytes()),
        "this run's network": (Estimate(network), _free(ours.device)),
    }


def _in_jax() -> bool:
    """Whether JAX computes on a GPU."""
    import jax

    return jax.default_backend() == "gpu"


def _free(device: torch.device) -> int | None:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else machine_bytes()
