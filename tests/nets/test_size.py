"""Counts of parameters and operations, by hand and by XLA."""

import jax
import jax.numpy as jnp
import pytest

from lobjax.nets import GRUConfig, LogisticNormal, MLPConfig, TransformerConfig, make_net
from lobjax.nets.size import describe, peak, size, utilisation

HEAD = LogisticNormal(12)  # 11 outputs
OBSERVED, N_ENVS = 20, 8
TOLERANCE = (
    0.06  # of XLA's count: it has norms, softmax and activations too, and no gradient of observations and of the ring
)
# A loop's body is counted once by XLA, so a recurrent network is compared over one step.
NETS = {
    "mlp": (MLPConfig(hidden=(128, 128)), 16),
    "gru": (GRUConfig(width=64, layers=2, towers="separate"), 1),
    "shared": (TransformerConfig(width=128, layers=2, heads=4, window=8), 24),
    "separate": (TransformerConfig(width=64, layers=1, heads=2, window=32, towers="separate"), 8),
}


def counted(function, *arguments) -> float:
    return jax.jit(function).lower(*arguments).compile().cost_analysis()["flops"]


@pytest.mark.parametrize("name", NETS)
def test_operations_are_those_that_xla_counts(name):
    config, length = NETS[name]
    net, counts = make_net(config, OBSERVED, HEAD), size(config, OBSERVED, HEAD, length)
    params = jax.eval_shape(net.init, jax.random.key(0))
    carry = jax.eval_shape(lambda: net.initial_carry(N_ENVS))
    observation = jax.ShapeDtypeStruct((length, N_ENVS, OBSERVED), jnp.float32)
    reset = jax.ShapeDtypeStruct((length, N_ENVS), bool)
    now = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), (observation, reset))
    assert counted(net.step, params, carry, *now) == pytest.approx(N_ENVS * counts.step_flops, rel=TOLERANCE)

    def total(params, *rest):
        return sum(x.sum() for x in net.sequence(params, *rest))

    backwards = (0, 1) if name == "gru" else 0  # in longer trajectories gradients flow through the state
    have = counted(jax.grad(total, backwards), params, carry, observation, reset)
    assert have == pytest.approx(length * N_ENVS * counts.update_flops, rel=TOLERANCE)


def test_the_reference_size_is_counted_without_being_made():
    """Two towers of twelve layers: by hand, 4 d^2 + 8 d^2 and the small vectors of every block."""
    config = TransformerConfig(layers=12, width=768, heads=64, window=32, towers="separate", precision="bfloat16")
    d, blocks = 768, 24
    vectors = 2 * 2 * d + d + 4 * d + d  # two norms, the biases of merge, up and down
    ends = 2 * (OBSERVED * d + d + 2 * d) + (11 * d + 11) + (d + 1)
    held = sum(x.nbytes for x in jax.live_arrays())
    counts = size(config, OBSERVED, HEAD, 32)
    assert sum(x.nbytes for x in jax.live_arrays()) <= held + 1000
    assert counts.parameters == blocks * (12 * d**2 + vectors + 64 * 32) + ends
    kernels = blocks * 12 * d**2 + 2 * OBSERVED * d + 12 * d
    assert counts.step_flops == 2 * kernels + blocks * 4 * d * 32
    assert counts.update_flops == 3 * (2 * kernels + blocks * 4 * d * 64)


def test_a_line_for_a_person():
    want = "mlp: 5,004 parameters, 9.73 kFLOP a step, 29.2 kFLOP a step in each pass of an update"
    assert describe(MLPConfig(hidden=(64,)), 32, HEAD, 16) == want
    assert "a step cached" in describe(GRUConfig(), 32, HEAD, 16)


def test_utilisation_is_a_share_of_the_peak():
    best = peak("NVIDIA H200", "bfloat16")
    assert best == 989e12 and peak("NVIDIA H200", "float32") == 67e12 and peak("cpu", "float32") is None
    assert utilisation(989e12 * 0.35 * 2, 2.0, best) == pytest.approx(0.35)
