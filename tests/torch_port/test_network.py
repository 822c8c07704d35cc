"""The torch network against Flax's: the same function, step by step and over sequences, forward and backward."""

from dataclasses import replace

import jax
import numpy as np
import pytest
import torch

from lobjax.nets import Categoricals, TransformerConfig, make_net
from lobjax.nets.precision import EPSILON
from lobjax.torch_port import choose_layers, from_flax, make_actor_critic, to_flax
from tests.compiling import quick_jit
from tests.torch_port.both import SEPARATE, SHARED, distance, pair, tensors, trajectory


@pytest.mark.parametrize("config", [SHARED, SEPARATE], ids=["shared", "separate"])
def test_steps_and_sequences_equal_flax_across_resets_and_rollouts(config):
    net, params, model = pair(config)
    whole, step = quick_jit(net.sequence), quick_jit(net.step)
    carry, cache = net.initial_carry(3), model.initial_carry(3)
    for seed, length in enumerate((7, 3, 7)):  # longer and shorter than the windows
        observation, reset = trajectory(seed, length, 3)
        outputs, value = whole(params, carry, observation, reset)
        theirs = model(cache, *tensors(observation, reset))
        assert distance(theirs[0], outputs) < 1e-6 and distance(theirs[1], value) < 1e-6
        for t in range(length):
            carry, _ = step(params, carry, observation[t], reset[t])
            cache, (now, now_value) = model.step(cache, *tensors(observation[t], reset[t]))
            torch.testing.assert_close(now, theirs[0][t], atol=2e-5, rtol=1e-5)
            torch.testing.assert_close(now_value, theirs[1][t], atol=2e-5, rtol=1e-5)
        assert np.array_equal(cache.valid, carry.valid) and cache.position == carry.position


def test_gradients_equal_flax():
    net, params, model = pair(SEPARATE)
    observation, reset = trajectory(0, 6, 3)
    weight, weight_value = np.random.default_rng(1).normal(size=(2, 6, 3, 3)).astype(np.float32)[:, ..., :]
    weight_value = weight_value[..., 0]

    def loss(params):
        outputs, value = net.sequence(params, net.initial_carry(3), observation, reset)
        return (outputs * weight).sum() + (value * weight_value).sum()

    outputs, value = model(model.initial_carry(3), *tensors(observation, reset))
    ((outputs * torch.from_numpy(weight)).sum() + (value * torch.from_numpy(weight_value)).sum()).backward()
    want = from_flax(jax.device_get(quick_jit(jax.grad(loss))(params)))
    for name, parameter in model.named_parameters():
        assert distance(parameter.grad, want[name]) < 1e-5, name


@pytest.mark.parametrize(("precision", "most"), [("bfloat16", 2e-2), ("fp8_float32", 2e-2), ("fp8", 8e-2)])
def test_lower_precisions_stay_near_flax(precision, most):
    """The gates are for the default size of `bench parity`; fp8 amplifies bfloat16's rounding, which differs."""
    net, params, model = pair(replace(SEPARATE, precision=precision))
    exact = pair(SEPARATE)[2]
    observation, reset = trajectory(2, 8, 4)
    outputs, _ = quick_jit(net.sequence)(params, net.initial_carry(4), observation, reset)
    theirs, _ = model(model.initial_carry(4), *tensors(observation, reset))
    assert distance(theirs, outputs) < most
    rounded = distance(theirs, exact(exact.initial_carry(4), *tensors(observation, reset))[0].detach())
    assert 1e-3 < rounded < 0.25, "it computes in that precision, and not worse"
    assert theirs.dtype == torch.float32 and model.actor.weight.dtype == torch.float32


def test_any_size_constructs_up_to_the_reference_one():
    """12 + 12 layers of 768, 64 heads, 11 actions, without the memory for it: shapes on both sides."""
    config = TransformerConfig(layers=12, width=768, heads=64, window=64, towers="separate", precision="fp8")
    head = Categoricals((11,))
    with torch.device("meta"):
        model = make_actor_critic(config, 200, head.bias, choose_layers("fp8", EPSILON, source="plain"))
    shapes = jax.eval_shape(make_net(config, 200, head).init, jax.random.key(0))
    blank = jax.tree.map(lambda x: np.broadcast_to(np.float32(0), x.shape), shapes)
    have = {name: tuple(x.shape) for name, x in model.state_dict().items()}
    assert have == {name: tuple(x.shape) for name, x in _shapes(blank).items()}
    assert sum(x.numel() for x in model.parameters()) == sum(x.size for x in jax.tree.leaves(shapes)) > 170e6


def _shapes(tree):
    """`from_flax` of one block after the other, so that no copy of everything is made."""
    found = {}
    for name, node in tree.items():
        if name.startswith("towers"):
            for block, leaves in node.items():
                found |= {k: torch.empty(v.shape, device="meta") for k, v in from_flax({name: {block: leaves}}).items()}
        else:
            found |= from_flax({name: node})
    return found


def test_a_network_of_its_own_starts_as_flax_does():
    """Orthogonal at the same scales, zeros and ones at the same places, outputs near the bias."""
    torch.manual_seed(0)
    model = make_actor_critic(SHARED, 5, (1.0, -1.0), choose_layers("float32", EPSILON, source="plain"))
    ours = to_flax(model.state_dict())
    theirs = jax.device_get(quick_jit(make_net(SHARED, 5, Categoricals((2,))).init)(jax.random.key(0)))
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(ours), jax.tree.leaves(theirs), strict=True):
        name = jax.tree_util.keystr(path)
        if name != "['actor']['bias']":
            np.testing.assert_allclose(np.linalg.norm(x), np.linalg.norm(y), rtol=1e-5, err_msg=name)
    outputs, _ = model(model.initial_carry(2), torch.randn(3, 2, 5), torch.zeros(3, 2, dtype=torch.bool))
    torch.testing.assert_close(outputs, torch.tensor([1.0, -1.0]).expand_as(outputs), atol=0.1, rtol=0)
