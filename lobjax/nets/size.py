"""How large a network is: parameters, floating-point operations, and what share of a device's peak an update reaches.

Counted are the matrix products, two operations for each multiply and add, as in Kaplan et al. (arXiv 2001.08361, section 2.1): a token
costs 2 for every element of every kernel, and 4 x width x keys in every layer of attention (scores, then the sum of values). Keys are
all that the program computes, masked or not: the ring in a cached step; the ring and the trajectory in a sequence. The way back costs
twice the way forth. What `remat` computes again is not counted: utilisation is that of the model's own work (Chowdhery et al.,
arXiv 2204.02311, appendix B). Norms, softmax and activations are left out, which XLA counts: narrow networks have more of them.
"""

from math import log10, prod
from typing import NamedTuple

import jax

from lobjax.nets import NETS, Head, NetConfig, make_net
from lobjax.registry import entry_of
from lobjax.settings import key_of

# Operations per second by device (as JAX names it) and precision: the data sheet of NVIDIA's H200 SXM, dense; float32 without tensor cores.
PEAKS: dict[str, dict[str, float]] = {"NVIDIA H200": {"fp8": 1979e12, "bfloat16": 989e12, "float32": 67e12}}


class Size(NamedTuple):
    """Counts of one network; operations are for one step of one environment."""

    parameters: int
    step_flops: int  # forth, by cached stepping
    update_flops: int  # forth and back, in one pass of an update over it (an epoch is one pass)


def size(config: NetConfig, observation_size: int, head: Head, rollout_length: int) -> Size:
    """Count the network that `config` describes in trajectories of `rollout_length`. Nothing is allocated."""
    shapes = jax.eval_shape(make_net(config, observation_size, head).init, key_of(0))
    leaves = jax.tree_util.tree_leaves_with_path(shapes)
    kernels = 2 * sum(prod(leaf.shape) for path, leaf in leaves if path[-1].key == "kernel")
    step, sequence = (
        entry_of(NETS, config).attention(config, 0),
        entry_of(NETS, config).attention(config, rollout_length),
    )
    return Size(
        parameters=sum(prod(leaf.shape) for _, leaf in leaves),
        step_flops=kernels + step,
        update_flops=3 * (kernels + sequence),
    )


def describe(config: NetConfig, observation_size: int, head: Head, rollout_length: int) -> str:
    """One line for a person: kind, parameters, and operations per environment step."""
    counts = size(config, observation_size, head, rollout_length)
    step, update = _words(counts.step_flops), _words(counts.update_flops)
    cached = "" if config.kind == "mlp" else " cached"
    return f"{config.kind}: {counts.parameters:,} parameters, {step} a step{cached}, {update} a step in each pass of an update"


def peak(device_kind: str, precision: str) -> float | None:
    """Operations per second that a device can do at most, or None where the table has no entry."""
    return PEAKS.get(device_kind, {}).get(precision)


def utilisation(flops: float, seconds: float, peak: float) -> float:
    """The share of `peak` (operations per second) at which `flops` operations were done in `seconds`, 0 to 1."""
    return flops / seconds / peak


def _words(flops: int) -> str:
    """Three figures and a unit, such as "1.23 MFLOP"."""
    power = min(int(log10(max(flops, 1))) // 3, 4)
    return f"{flops / 1000**power:.3g} {('', 'k', 'M', 'G', 'T')[power]}FLOP"
