"""Rewards of a portfolio's step by name. They are for training: no figure of profit or loss contains them."""

import flax.struct
import jax
import jax.numpy as jnp

_LEAST_VARIANCE = 1e-10


class Running(flax.struct.PyTreeNode):
    """What is kept of the steps so far."""

    wealth_log: jax.Array  # float32, 0 at the start
    peak_log: jax.Array  # float32
    depth: jax.Array  # float32, the deepest fall from the peak, as a share of it
    mean: jax.Array  # float32, moving average of simple returns
    square: jax.Array  # float32, and of their squares


def begun() -> Running:
    """At the start of an episode."""
    none = jnp.float32(0)
    return Running(none, none, none, none, none)


def followed(running: Running, log_return: jax.Array, decay: jax.Array) -> Running:
    """After a step."""
    simple = jnp.expm1(log_return)
    wealth = running.wealth_log + log_return
    peak = jnp.maximum(running.peak_log, wealth)
    return Running(
        wealth, peak, jnp.maximum(running.depth, -jnp.expm1(wealth - peak)),
        running.mean + decay * (simple - running.mean), running.square + decay * (simple**2 - running.square),
    )  # fmt: skip


def reward(name: str, before: Running, after: Running, log_return: jax.Array, penalty: jax.Array) -> jax.Array:
    """`log_return`; `differential_sharpe`, what the step adds to the Sharpe ratio of moving averages (Moody and Saffell 2001), 0 before
    they vary; `drawdown`, the log return less `penalty` times what the step deepens the deepest drawdown by.
    """
    if name == "log_return":
        return log_return
    if name == "drawdown":
        return log_return - penalty * (after.depth - before.depth)
    simple = jnp.expm1(log_return)
    variance = before.square - before.mean**2
    gained = before.square * (simple - before.mean) - 0.5 * before.mean * (simple**2 - before.square)
    sound = variance > _LEAST_VARIANCE
    return jnp.where(sound, gained / jnp.where(sound, variance, 1) ** 1.5, 0)
