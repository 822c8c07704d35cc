"""The arithmetic of an update: operations of the network, at what rate they were done, and the share of the device's peak."""

from typing import Any

import jax

from bench.recording import rounded
from lobjax.env import Environment
from lobjax.learn.config import TrainConfig
from lobjax.nets import size
from lobjax.policy import make_head


def work(config: TrainConfig, env: Environment, learning_s: float) -> dict[str, Any]:
    """The record's part on the network. `learning_s`: seconds of the gradient steps of one device's share of an update.

    Utilisation is that of the model's own matrix products (`lobjax.nets.size`); None where the device's peak is not known, as a CPU's.
    """
    counts = size.size(
        config.net, env.observation_size, make_head(env.action_space, config.head), config.rollout_length
    )
    flops = counts.update_flops * config.batch_size // config.devices * config.algorithm.epochs
    precision = getattr(config.net, "precision", "float32")
    peak = size.peak(jax.local_devices()[0].device_kind, precision)
    known = learning_s > 0
    return {
        "parameters": counts.parameters,
        "flops_per_step": counts.step_flops,
        "update_flops_per_step": counts.update_flops * config.algorithm.epochs,
        "update_flops_per_s": rounded(flops / learning_s) if known else None,
        "precision": precision,
        "peak_flops_per_s": peak,
        "update_utilisation": rounded(size.utilisation(flops, learning_s, peak), 3) if known and peak else None,
    }
