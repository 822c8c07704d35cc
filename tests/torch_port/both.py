"""One network in both frameworks, and data for it."""

import jax
import numpy as np
import torch

from lobjax.nets import LogisticNormal, TransformerConfig, make_net
from lobjax.nets.precision import EPSILON
from lobjax.torch_port import choose_layers, from_flax, load_into, make_actor_critic

HEAD = LogisticNormal(4)
SIZE = 5
SHARED = TransformerConfig(layers=2, width=16, heads=2, window=4)
SEPARATE = TransformerConfig(layers=1, width=32, heads=4, window=5, towers="separate")


def lively(config, seed=0, scale=0.3):
    """Random parameters in NumPy, no leaf of zeros that could hide a mistake."""
    shapes = jax.eval_shape(make_net(config, SIZE, HEAD).init, jax.random.key(0))
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: rng.normal(0, scale, x.shape).astype(np.float32), shapes)


def pair(config, params=None):
    """The Flax network, its parameters, and the torch network with the same."""
    params = lively(config) if params is None else params
    model = make_actor_critic(config, SIZE, HEAD.bias, choose_layers(config.precision, EPSILON, source="plain"))
    load_into(model, from_flax(params))
    return make_net(config, SIZE, HEAD), params, model


def trajectory(seed, length, n_envs):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(length, n_envs, SIZE)).astype(np.float32), rng.random((length, n_envs)) < 0.25


def tensors(*arrays):
    return [torch.from_numpy(np.array(x)) for x in arrays]


def distance(a, b):
    """Relative L2."""
    a, b = (np.asarray(x.detach() if isinstance(x, torch.Tensor) else x, np.float64) for x in (a, b))
    return np.linalg.norm(a - b) / np.linalg.norm(b)
