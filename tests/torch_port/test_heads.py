"""Heads in torch against `lobjax.nets`: densities, entropies, and their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from lobjax.nets import Categoricals, Dirichlet, LogisticNormal, SoftmaxNormal, SoftmaxNormalConfig
from lobjax.torch_port.heads import TorchHead
from tests.compiling import quick_jit

HEADS = {
    "logistic normal": LogisticNormal(4),
    "softmax-normal, learned": SoftmaxNormal(3, SoftmaxNormalConfig(std="learned", initial_std=0.4)),
    "dirichlet": Dirichlet(3),
    "categoricals": Categoricals((2, 3)),
}


@pytest.mark.parametrize("name", HEADS)
def test_densities_and_their_gradients_are_those_of_the_jax_head(name):
    head, rng = HEADS[name], np.random.default_rng(0)
    outputs = rng.normal(size=(5, 2, len(head.bias))).astype(np.float32)

    @quick_jit
    def ours(outputs):
        keys = jax.random.split(jax.random.key(0), (5, 2))
        raw = jax.vmap(jax.vmap(head.sample))(keys, head.inputs(head.init(), outputs, 0.3))

        def total(params, outputs):
            inputs = head.inputs(params, outputs, 0.3)
            log_prob, entropy = head.log_prob(inputs, raw), head.entropy(inputs)
            return (log_prob + 2 * entropy).sum(), (log_prob, entropy)

        return raw, *jax.grad(total, argnums=(0, 1), has_aux=True)(head.init(), outputs)

    raw, slopes, (want, want_entropy) = ours(jnp.asarray(outputs))
    theirs, x = TorchHead(head), torch.from_numpy(outputs).requires_grad_()
    log_prob, entropy = theirs(x, torch.from_numpy(np.array(raw)), 0.3)
    np.testing.assert_allclose(log_prob.detach(), want, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(entropy.detach(), want_entropy, rtol=2e-5, atol=1e-5)
    (log_prob + 2 * entropy).sum().backward()
    np.testing.assert_allclose(x.grad, slopes[1], rtol=1e-4, atol=1e-5)
    if theirs.log_std is not None:
        np.testing.assert_allclose(theirs.log_std.grad, slopes[0]["log_std"], rtol=1e-4)
        assert theirs.params()["log_std"].tobytes() == np.asarray(head.init()["log_std"]).tobytes()
