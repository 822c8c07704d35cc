"""Forecast networks: exact counts, no look-ahead, layers against Flax's own."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.forecast.nets import FORECAST_NETS, CNNLSTMConfig, DeepLOBConfig, TLOBConfig, count, make_forecast_net
from lobjax.forecast.nets.layers import LSTM, CausalConv, LastStepAttention
from lobjax.registry import entry_of
from tests.compiling import quick_jit

SMALL = {
    "cnn_lstm": CNNLSTMConfig(channels=(4, 6), width=8, heads=2, layer_norm=True),
    "deeplob": DeepLOBConfig(levels=2, channels=4, width=8),
    "tlob": TLOBConfig(layers=1, width=8, heads=2),
}
rng = np.random.default_rng(0)


def lively(shapes):
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(0, 0.4, x.shape), jnp.float32), shapes)


def made(module, x, *rest):
    return lively(jax.eval_shape(lambda: module.init(jax.random.key(0), x, *rest)))


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (CNNLSTMConfig(), 607_395),
        (CNNLSTMConfig(biases=1), 606_371),
        (CNNLSTMConfig(attention=False), 344_227),
        (CNNLSTMConfig(kernel=5), 616_483),
        (CNNLSTMConfig(layer_norm=True), 607_395 + 512),
        (DeepLOBConfig(), 137_315),
        (TLOBConfig(), 103_755),
    ],
)
def test_counts_of_parameters(config, wanted):
    assert count(config, 60, 78) == wanted


def test_deeplob_has_the_papers_count():
    assert count(DeepLOBConfig(levels=10), 100, 40) == 142_435


def test_attention_is_flaxs_at_the_last_step():
    x = jnp.asarray(rng.normal(size=(3, 7, 12)), jnp.float32)
    theirs, mine = nn.MultiHeadDotProductAttention(4, precision="highest"), LastStepAttention(4)
    params = made(theirs, x)
    own = {
        f"{name}_{part}": params["params"][name][part]
        for name in ("query", "key", "value")
        for part in ("kernel", "bias")
    }
    out = params["params"]["out"]
    own["Dense_0"] = {"kernel": out["kernel"].reshape(12, 12), "bias": out["bias"]}
    np.testing.assert_allclose(mine.apply({"params": own}, x), theirs.apply(params, x)[:, -1], atol=2e-5)


def test_the_lstm_is_flaxs():
    x = jnp.asarray(rng.normal(size=(3, 7, 5)), jnp.float32)
    mine = LSTM(4, biases=1)
    params = made(mine, x)["params"]
    cut = {name: jnp.split(params[name], 4, axis=-1) for name in ("input_kernel", "recurrent_kernel", "bias_0")}
    own = {f"i{gate}": {"kernel": kernel} for gate, kernel in zip("ifgo", cut["input_kernel"], strict=True)}
    own |= {
        f"h{gate}": {"kernel": kernel, "bias": bias}
        for gate, kernel, bias in zip("ifgo", cut["recurrent_kernel"], cut["bias_0"], strict=True)
    }
    theirs = nn.RNN(nn.LSTMCell(4)).apply({"params": {"cell": own}}, x)
    np.testing.assert_allclose(mine.apply({"params": params}, x), theirs, atol=1e-5)


def test_a_convolution_sees_no_later_frame_and_is_flaxs():
    x = jnp.asarray(rng.normal(size=(2, 9, 5)), jnp.float32)
    params = made(CausalConv(4, 3), x)
    dense = params["params"]["Dense_0"]
    theirs = nn.Conv(4, (3,), padding="CAUSAL", precision="highest")
    own = {"params": {"kernel": dense["kernel"].reshape(3, 5, 4), "bias": dense["bias"]}}
    np.testing.assert_allclose(CausalConv(4, 3).apply(params, x), theirs.apply(own, x), atol=1e-5)


@pytest.mark.parametrize("name", FORECAST_NETS)
def test_each_network_gives_a_window_its_own_logits(name):
    """Every frame of a window counts, no other window does, and dropout is drawn by the key alone."""
    config = SMALL[name]
    net = make_forecast_net(config, 8, 10)
    params = lively(jax.eval_shape(net.init, jax.random.key(0)))
    x = jnp.asarray(rng.normal(size=(4, 8, 10)), jnp.float32)

    @quick_jit
    def play(x):
        slopes = jax.vmap(jax.jacrev(lambda one: net.apply(params, one[None], None)[0]))(x)
        dropped = [net.apply(params, x, jax.random.key(seed)) for seed in (0, 0, 1)]
        return net.apply(params, x, None), slopes, dropped

    logits, slopes, dropped = play(x)
    other = play(x.at[1].add(1.0))[0]
    assert logits.shape == (4, 3)
    assert (np.abs(slopes).max((0, 1, 3)) > 0).all()
    np.testing.assert_array_equal(other[jnp.array([0, 2, 3])], logits[jnp.array([0, 2, 3])])
    assert not np.array_equal(other[1], logits[1])
    np.testing.assert_array_equal(dropped[0], dropped[1])
    assert not np.array_equal(dropped[0], dropped[2]) and not np.array_equal(dropped[0], logits)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="need 40 features; there are 39"):
        make_forecast_net(DeepLOBConfig(levels=10), 60, 39)
    for make in (lambda: CNNLSTMConfig(heads=3), lambda: TLOBConfig(heads=5)):
        with pytest.raises(ValueError, match="does not divide into"):
            make()
    with pytest.raises(ValueError, match="kernel: 0 is out of range"):
        CNNLSTMConfig(kernel=0)
    with pytest.raises(InputError, match="did you mean 'deeplob'"):
        FORECAST_NETS["deplob"]
    assert entry_of(FORECAST_NETS, TLOBConfig()).config is TLOBConfig
