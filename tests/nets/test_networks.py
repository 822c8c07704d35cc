"""Networks: the two ways to compute one thing agree, and memory reaches as far as it says."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.nets import GRUConfig, LogisticNormal, LogisticNormalConfig, MLPConfig, TransformerConfig, make_net
from tests.compiling import quick_jit

HEAD = LogisticNormal(4)
SIZE = 5
NETS = {
    "mlp": MLPConfig(hidden=(16,)),
    "shared": TransformerConfig(layers=2, width=16, heads=2, window=4),
    "separate": TransformerConfig(layers=2, width=16, heads=4, window=5, towers="separate"),
    "remat": TransformerConfig(layers=1, width=16, heads=2, window=4, remat=True),
    "gru": GRUConfig(layers=2, width=16),
    "separate gru": GRUConfig(width=16, towers="separate"),
}
COARSE = 0.03  # of outputs near 1 to 3 in bfloat16: 8 of its steps of 2^-8


def lively(net, seed=0):
    """Random parameters, no leaf of zeros (biases, distances) that could hide a mistake."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(net.init, jax.random.key(0))
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(0, 0.4, x.shape), jnp.float32), shapes)


def play(net, params, carry, observation, reset):
    """`step` along a trajectory."""

    def one(carry, x):
        return net.step(params, carry, *x)

    return jax.lax.scan(one, carry, (observation, reset))


@pytest.mark.parametrize("name", NETS)
def test_steps_equal_the_sequence_across_resets_and_rollouts(name):
    net = make_net(NETS[name], SIZE, HEAD)
    params = lively(net)
    carry = net.initial_carry(6)
    rng = np.random.default_rng(0)
    jit = jax.jit if name == "shared" else quick_jit
    compare = jit(lambda *a: (play(net, *a), net.sequence(*a)))
    for length in (7, 7, 3, 7):  # longer and shorter than the windows
        observation = rng.normal(size=(length, 6, SIZE)).astype(np.float32)
        reset = rng.random((length, 6)) < 0.25
        (carry, stepped), whole = compare(params, carry, observation, reset)
        raw = rng.normal(size=(length, 6, 3)).astype(np.float32)
        one, other = (HEAD.log_prob(HEAD.inputs((), x[0], 0.0), raw) for x in (stepped, whole))
        np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_allclose(stepped[0], whole[0], atol=1e-5)
        np.testing.assert_allclose(stepped[1], whole[1], atol=1e-5)
        assert whole[0].shape == (length, 6, 3) and whole[1].shape == (length, 6)


@pytest.mark.parametrize("name", ["shared", "separate"])
def test_bfloat16_rounds_both_paths_alike_and_leaves_the_parameters_alone(name):
    fine = make_net(NETS[name], SIZE, HEAD)
    coarse = make_net(replace(NETS[name], precision="bfloat16"), SIZE, HEAD)
    params = lively(fine)
    rng = np.random.default_rng(0)
    observation = rng.normal(size=(7, 6, SIZE)).astype(np.float32)
    reset = rng.random((7, 6)) < 0.25

    @quick_jit
    def outcomes(params):
        start = coarse.initial_carry(6)
        exact = fine.sequence(params, fine.initial_carry(6), observation, reset)
        rounded = coarse.sequence(params, start, observation, reset)
        slope = jax.grad(lambda p: coarse.sequence(p, start, observation, reset)[1].sum())(params)
        return exact, rounded, play(coarse, params, start, observation, reset), slope

    exact, rounded, (carry, stepped), slope = outcomes(params)
    for want, whole, one in zip(exact, rounded, stepped, strict=True):
        assert whole.dtype == one.dtype == jnp.float32
        np.testing.assert_allclose(whole, want, atol=COARSE)
        np.testing.assert_allclose(one, whole, atol=COARSE)
        assert np.abs(whole - want).max() > 1e-4, "nothing was rounded"
    assert {x.dtype for x in (*carry.keys, *carry.values)} == {jnp.dtype(jnp.bfloat16)}
    assert {x.dtype for x in jax.tree.leaves(slope)} == {jnp.dtype(jnp.float32)}
    assert jax.tree.map(jnp.shape, slope) == jax.tree.map(jnp.shape, params)


def test_remat_computes_blocks_anew_and_gives_the_same_gradients():
    observation = jax.random.normal(jax.random.key(7), (7, 3, SIZE))
    reset = jax.random.bernoulli(jax.random.key(8), 0.25, (7, 3))
    kept = make_net(NETS["shared"], SIZE, HEAD)
    again = make_net(replace(NETS["shared"], remat=True), SIZE, HEAD)
    params = lively(kept)

    def slope(net):
        def loss(params):
            outputs, value = net.sequence(params, net.initial_carry(3), observation, reset)
            return (outputs**2).mean() + (value**2).mean()

        return jax.grad(loss)

    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6),
        *quick_jit(lambda p: (slope(kept)(p), slope(again)(p)))(params),
    )
    programs = [str(jax.make_jaxpr(slope(net))(params)) for net in (kept, again)]
    assert ["remat" in program for program in programs] == [False, True]
    shapes = [jax.tree.map(jnp.shape, jax.eval_shape(net.init, jax.random.key(0))) for net in (kept, again)]
    assert shapes[0] == shapes[1]


def influence(config, reset):
    """bool[T, T]: whether the observation at s changes what comes out at t."""
    net = make_net(config, SIZE, HEAD)
    params = lively(net)
    observation = jax.random.normal(jax.random.key(5), (reset.shape[0], 1, SIZE))

    def outputs(x):
        return net.sequence(params, net.initial_carry(1), x, reset)[0][:, 0, 0]

    return np.abs(quick_jit(jax.jacobian(outputs))(observation)[:, :, 0]).max(axis=-1) > 1e-9


def test_one_layer_sees_its_window_and_its_episode():
    reset = jnp.zeros((9, 1), bool).at[5].set(True)
    seen = influence(TransformerConfig(layers=1, width=16, heads=2, window=4), reset)
    for t in range(9):
        for s in range(9):
            assert seen[t, s] == (0 <= t - s < 4 and (s >= 5) == (t >= 5)), (t, s)


@pytest.mark.parametrize("name", ["shared", "gru"])
def test_a_reset_forgets_what_was_carried(name):
    net = make_net(NETS[name], SIZE, HEAD)
    params = lively(net)
    observation = jax.random.normal(jax.random.key(6), (6, 3, SIZE))
    never = jnp.zeros((6, 3), bool)
    full, _ = play(net, params, net.initial_carry(3), observation, never)
    fresh = jnp.asarray([True, False, True])
    now = observation[0] + 1
    step = quick_jit(net.step)
    _, after = step(params, full, now, fresh)
    _, alone = step(params, net.initial_carry(3), now, fresh)
    np.testing.assert_allclose(after[0][fresh], alone[0][fresh], atol=1e-6)
    assert np.abs(after[0][1] - alone[0][1]).max() > 1e-3


def test_the_policy_starts_at_its_bias():
    head = LogisticNormal(4, LogisticNormalConfig(initial_mean=(-1.0, 0.5, 2.0)))
    inputs = jnp.ones((3, 2, SIZE)), jnp.zeros((3, 2), bool)
    for config in (NETS["mlp"], NETS["shared"], NETS["gru"]):
        net = make_net(config, SIZE, head)
        first = quick_jit(lambda key: net.sequence(net.init(key), net.initial_carry(2), *inputs))  # noqa: B023
        outputs, _ = first(jax.random.key(0))
        np.testing.assert_allclose(outputs, np.broadcast_to([-1.0, 0.5, 2.0], (3, 2, 3)), atol=0.1)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lambda: TransformerConfig(width=10, heads=4), "does not divide into 4 heads"),
        (lambda: TransformerConfig(window=0), "window: 0 is out of range"),
        (lambda: MLPConfig(hidden=()), "hidden: 0 values"),
        (lambda: GRUConfig(width=0), "width: 0 is out of range"),
    ],
)
def test_bad_sizes_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        config()
