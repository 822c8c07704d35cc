"""The update of `lobjax.learn.ppo` in torch: the same losses, minibatches and steps. The tests hold the two to each other."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from lobjax.learn.algorithm import AlgorithmConfig
from lobjax.learn.torch.group import Group
from lobjax.registry import Registry
from lobjax.torch_port.agent import Agent
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.fp8 import advance

EPSILON_ADAM = 1e-5


class Batch(NamedTuple):
    """What an update learns from; tensors [T, B, ...], but for the cache before the first step, [B, ...]."""

    cache: Cache
    observation: torch.Tensor  # as the network reads it
    reset: torch.Tensor
    raw_action: torch.Tensor
    log_prob: torch.Tensor
    value: torch.Tensor
    advantage: torch.Tensor  # normalised, if the configuration says so
    target: torch.Tensor  # of the value

    def take(self, index: torch.Tensor) -> "Batch":
        """The batch of the environments `index` int64[b]."""
        return Batch(self.cache.take(index), *(x[:, index] for x in self[1:]))


def gae(reward, value, next_value, terminated, truncated, discount: float, trace_decay: float) -> torch.Tensor:
    """Advantages f32[T, B]; as `lobjax.learn.gae.gae`."""
    delta = reward + discount * next_value.masked_fill(terminated, 0.0) - value
    decay = torch.full_like(delta, discount * trace_decay).masked_fill(terminated | truncated, 0.0)
    advantage, rows = torch.zeros_like(delta[0]), []
    for t in reversed(range(len(delta))):
        advantage = delta[t] + decay[t] * advantage
        rows.append(advantage)
    return torch.stack(rows[::-1])


def make_optimiser(config: AlgorithmConfig, agent: Agent) -> torch.optim.Adam:
    """Adam as optax's: the same rates of decay and the same epsilon, outside the root."""
    return torch.optim.Adam(
        agent.parameters(), lr=config.learning_rate, betas=(0.9, 0.999), eps=EPSILON_ADAM, foreach=True
    )


def learning_rate(config: AlgorithmConfig, progress: float) -> float:
    """The learning rate after a fraction `progress` of the run."""
    return config.learning_rate * (1 - progress if config.schedule == "linear" else 1.0)


Surrogate = Callable[[Any, torch.Tensor, Batch], tuple[torch.Tensor, dict[str, torch.Tensor]]]


def _clipped_ratio(config: Any, log_prob: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    log_ratio = log_prob - batch.log_prob
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
    return torch.minimum(ratio * batch.advantage, clipped * batch.advantage).mean(), {
        "policy/kl": (ratio - 1 - log_ratio).mean(),
        "policy/clip_fraction": ((ratio - 1).abs() > config.clip).float().mean(),
    }


def _advantage_weighted(
    config: Any, log_prob: torch.Tensor, batch: Batch
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return (log_prob * batch.advantage).mean(), {}


# The twins of `lobjax.learn.algorithm.ALGORITHMS`.
SURROGATES: Registry[Surrogate] = Registry(
    "algorithm in torch", {"ppo": _clipped_ratio, "actor_critic": _advantage_weighted}
)


def loss(config: AlgorithmConfig, agent: Any, batch: Batch, progress: float) -> tuple[torch.Tensor, dict[str, Any]]:
    """The loss f32[] of a batch and its metrics. `agent` is an `Agent`, wrapped or not."""
    log_prob, entropy, value = agent(batch.cache, batch.observation, batch.reset, batch.raw_action, progress)
    surrogate, moved = SURROGATES[config.kind](config, log_prob, batch)
    error = (value - batch.target) ** 2
    if config.value_clip is not None:
        near = batch.value + (value - batch.value).clamp(-config.value_clip, config.value_clip)
        error = torch.maximum(error, (near - batch.target) ** 2)
    value_loss, entropy = 0.5 * error.mean(), entropy.mean()
    total = -surrogate + config.value_coefficient * value_loss - config.entropy_coefficient * entropy
    metrics = {"loss/policy": -surrogate, "loss/value": value_loss, "policy/entropy": entropy, **moved}
    return total, {name: x.detach() for name, x in metrics.items()}


def optimise(
    config: AlgorithmConfig,
    agent: Agent,
    wrapped: Any,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    chosen: torch.Tensor,
    progress: float,
    group: Group,
) -> tuple[dict[str, float], list[str]]:
    """The gradient steps of one update, on minibatches `chosen` int64[steps, b]; returns mean metrics and whose gradient was not finite."""
    for settings in optimiser.param_groups:
        settings["lr"] = learning_rate(config, progress)
    sums: dict[str, Any] = {}
    broken: list[str] = []
    steps = 0
    for index in chosen:
        part = batch if len(chosen) == 1 else batch.take(index)
        optimiser.zero_grad(set_to_none=True)
        total, metrics = loss(config, wrapped, part, progress)
        metrics = {name: group.mean(x) for name, x in metrics.items()}
        sums = sums or {name: torch.zeros_like(x) for name, x in metrics.items()}
        if config.target_kl is not None and float(metrics["policy/kl"]) > config.target_kl:
            break
        total.backward()
        norm = clip_by_norm(agent, config.max_gradient_norm)
        if not torch.isfinite(norm):
            broken += [n for n, p in agent.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
        optimiser.step()
        advance(agent)
        metrics["gradient/norm"] = norm
        sums = {name: sums.get(name, 0.0) + x for name, x in metrics.items()}
        steps += 1
    means = {name: float(x) / max(steps, 1) for name, x in sums.items()}
    return means | {"gradient/steps": float(steps)}, broken


def clip_by_norm(agent: Agent, most: float | None) -> torch.Tensor:
    """Scale all gradients down to a global norm of `most`, exactly as optax does; returns the norm f32[] before."""
    gradients = [p.grad for p in agent.parameters() if p.grad is not None]
    norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    if most is not None:
        scale = torch.where(norm < most, torch.ones_like(norm), most / norm)
        for gradient in gradients:
            gradient.mul_(scale)
    return norm
