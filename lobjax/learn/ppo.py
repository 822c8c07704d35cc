"""Proximal policy optimisation: the loss of a minibatch, and the epochs over one batch.

Plain advantage actor-critic is the same with another surrogate, one epoch and one minibatch (Huang et al., arXiv 2205.09123).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from lobjax.learn import devices
from lobjax.learn.algorithm import ALGORITHMS, AlgorithmConfig, Batch
from lobjax.learn.optimiser import direction
from lobjax.nets import Head, NetFns
from lobjax.registry import entry_of
from lobjax.settings import of_32_bits


def make_optimiser(config: AlgorithmConfig) -> optax.GradientTransformation:
    """Clipping and the optimiser, without the learning rate (which follows the update, not the count of gradient steps)."""
    clip = optax.identity() if config.max_gradient_norm is None else optax.clip_by_global_norm(config.max_gradient_norm)
    return optax.chain(clip, direction(config.optimiser))


def learning_rate(config: AlgorithmConfig, progress: jax.Array) -> jax.Array:
    """The learning rate after a fraction `progress` of the run."""
    return config.learning_rate * (1 - progress if config.schedule == "linear" else jnp.ones_like(progress))


def make_loss(config: AlgorithmConfig, net: NetFns, head: Head) -> Callable:
    """Return loss(params, batch, progress) -> f32[], metrics."""
    spec = entry_of(ALGORITHMS, config)

    def loss(params: Any, batch: Batch, progress: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        outputs, value = net.sequence(params["net"], batch.carry, batch.observation, batch.reset)
        inputs = head.inputs(params["head"], outputs, progress)
        log_prob = head.log_prob(inputs, batch.raw_action)
        surrogate, moved = spec.surrogate(config, log_prob, batch)
        error = (value - batch.target) ** 2
        if config.value_clip is not None:
            near = batch.value + jnp.clip(value - batch.value, -config.value_clip, config.value_clip)
            error = jnp.maximum(error, (near - batch.target) ** 2)
        value_loss = 0.5 * batch.mean(error)
        entropy = batch.mean(head.entropy(inputs))
        metrics = {"loss/policy": -surrogate, "loss/value": value_loss, "policy/entropy": entropy, **moved}
        return -surrogate + config.value_coefficient * value_loss - config.entropy_coefficient * entropy, metrics

    return loss


def minibatch_indices(key: jax.Array, index: jax.Array, epochs: int, minibatches: int) -> jax.Array:
    """Which of the environments here go into each minibatch: int32[epochs * minibatches, B / minibatches].

    Every block of `minibatches` neighbouring environments sends one, by lot, to each minibatch. `index` int32[B] is their number among all
    devices' and names the lots, so the minibatches are the same sets however many devices hold the blocks.
    """
    first = index[::minibatches]
    here = jnp.arange(first.shape[0], dtype=jnp.int32) * minibatches

    def lots(epoch, block):
        own = jax.random.fold_in(jax.random.fold_in(key, epoch), block)
        return jax.random.permutation(own, jnp.arange(minibatches, dtype=jnp.int32))

    order = jax.vmap(jax.vmap(lots, in_axes=(None, 0)), in_axes=(0, None))(jnp.arange(epochs, dtype=jnp.int32), first)
    return (here[None, :, None] + order).swapaxes(1, 2).reshape(epochs * minibatches, -1)


def optimise(
    config: AlgorithmConfig,
    loss: Callable,
    params: Any,
    moments: Any,
    batch: Batch,
    index: jax.Array,
    key: jax.Array,
    progress: jax.Array,
    axis_name: str | None,
) -> tuple[Any, Any, dict[str, jax.Array], Any]:
    """Take the gradient steps of one update; returns parameters, optimiser state, mean metrics, finite gradients.

    The last is a tree like the parameters of bool[]: whether the gradient of that leaf was finite in every step. Once `target_kl` is
    passed, the remaining steps are computed and thrown away: every program takes the same time, on every device.
    """
    optimiser = make_optimiser(config)
    rate = learning_rate(config, progress)
    gradient_of = jax.grad(loss, has_aux=True)

    def step(carried, chosen):
        params, moments, going = carried
        part = batch if config.minibatches == 1 else _take(batch, chosen)
        gradient, metrics = devices.mean(gradient_of(params, part, progress), axis_name)
        if config.target_kl is not None:
            going &= metrics["policy/kl"] <= config.target_kl
        with of_32_bits():
            change, new_moments = optimiser.update(gradient, moments, params)
        new_params = jax.tree.map(lambda p, c: p - rate * c, params, change)
        keep = lambda new, old: jnp.where(going, new, old)  # noqa: E731
        params, moments = jax.tree.map(keep, (new_params, new_moments), (params, moments))
        metrics["gradient/norm"] = optax.tree.norm(gradient)
        finite = jax.tree.map(lambda g: jnp.isfinite(g).all(), gradient)
        return (params, moments, going), (metrics, going, finite)

    chosen = minibatch_indices(key, index, config.epochs, config.minibatches)
    (params, moments, _), (metrics, applied, finite) = jax.lax.scan(step, (params, moments, jnp.array(True)), chosen)
    steps = jnp.sum(applied, dtype=jnp.int32)
    weight = applied.astype(jnp.float32) / jnp.maximum(steps, 1).astype(jnp.float32)
    metrics = {name: jnp.where(applied, x, 0) @ weight for name, x in metrics.items()}
    metrics["gradient/steps"] = steps
    return params, moments, metrics, jax.tree.map(jnp.all, finite)


def _take(batch: Batch, chosen: jax.Array) -> Batch:
    carry = jax.tree.map(lambda x: x if x.ndim == 0 else jnp.take(x, chosen, axis=0), batch.carry)
    rest = jax.tree.map(lambda x: jnp.take(x, chosen, axis=1), batch._replace(carry=()))
    return rest._replace(carry=carry)
