"""Seconds of a training step of the Transformer by framework, precision and size."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bench import recording
from lobjax.errors import InputError
from lobjax.memory import Estimate, Part

FRAMEWORKS = ("flax", "torch", "torch_compiled", "transformer_engine")
PRECISIONS = ("float32", "bfloat16", "fp8")
# name: layers, width, heads, towers. `reference` is the size of S1's network; `wide` has heads that suit fused products.
SIZES = {
    "tiny": (1, 32, 2, "shared"),
    "small": (2, 64, 4, "shared"),
    "default": (2, 128, 4, "shared"),
    "reference": (12, 768, 64, "separate"),
    "wide": (12, 2048, 16, "shared"),
}
_WEIGHTS = 8  # with Adam's moments, gradients, and those in NumPy
_BATCHES = 3  # in NumPy, as the framework has it, and a minibatch


def check(frameworks: list[str], device: Any) -> None:
    """InputError for a framework that cannot run on torch's device."""
    from lobjax.torch_port.factory import why_no_transformer_engine

    missing = why_no_transformer_engine() or ("needs --device cuda" if device.type != "cuda" else None)
    if "transformer_engine" in frameworks and missing:
        raise InputError(f"--frameworks transformer_engine: {missing}")


def setting_of(size: str, envs: int, steps: int, window: int, seed: int) -> Any:
    """The network of one of `SIZES`, and the batch. InputError where a gradient step needs more memory than the machine has."""
    from bench.flax_and_torch import Setting, sizes
    from lobjax.nets import TransformerConfig

    layers, width, heads, towers = SIZES[size]
    net = TransformerConfig(layers=layers, width=width, heads=heads, window=window, towers=towers)  # type: ignore[arg-type]
    setting = Setting(net=net, envs=envs, steps=steps, seed=seed)
    of = sizes(setting)
    parts = {
        "parameters": Part(_WEIGHTS * of.weights, "take a smaller one of --sizes"),
        "the batch": Part(_BATCHES * of.batch, "lower --envs, --steps or --window"),
        "gradients": Part(of.residuals, "lower --envs, --steps or --window"),
    }
    Estimate(parts).check(f"a gradient step at size {size}")
    return setting


def measured(
    size: str, setting: Any, frameworks: list[str], precisions: list[str], runs: int, device: Any
) -> Iterator[dict[str, Any]]:
    """A record of each framework in each precision, at one of `SIZES` (`setting_of`)."""
    import torch

    from bench.flax_and_torch import OBSERVATION
    from bench.speed.peak import most
    from lobjax.nets.size import size as size_of

    layers, width, heads, towers = SIZES[size]
    net, envs, steps = setting.net, setting.envs, setting.steps
    flops = size_of(net, OBSERVATION, setting.head, steps).update_flops * envs * steps
    for precision in precisions:
        peak, source = most(precision, device)
        for framework in frameworks:
            make = _flax if framework == "flax" else _torch
            begun = time.perf_counter()
            step = make(setting, precision, framework, device)
            step()
            first = time.perf_counter() - begun
            seconds = sorted(_timed(step) for _ in range(runs))
            half = recording.rates("step_s", seconds)
            yield {
                "bench": "nets", "framework": framework, "precision": precision, "size": size, "layers": layers, "width": width,
                "heads": heads, "towers": towers, "envs": envs, "steps": steps, "window": net.window, "seed": setting.seed, **half,
                "first_step_s": round(first, 3), "tokens_per_s": recording.rounded(envs * steps / half["step_s"]),
                "flops_per_step": recording.rounded(flops), "peak_flops_per_s": recording.rounded(peak), "peak_from": source,
                "utilisation": recording.rounded(flops / half["step_s"] / peak), "torch_device": device.type,
                "torch": torch.__version__,
            }  # fmt: skip


def _timed(step: Callable[[], None]) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def _flax(setting: Any, precision: str, framework: str, device: Any) -> Callable[[], None]:
    import jax
    import jax.numpy as jnp

    from bench.flax_and_torch import PPO, batch, weights
    from lobjax.learn import ppo

    config = replace(PPO, minibatches=1)
    net = setting.flax(precision)
    loss, params, data = ppo.make_loss(config, net, setting.head), weights(setting), batch(setting)
    kind = net.initial_carry(1).keys[0].dtype
    rings = [tuple(jnp.asarray(x, kind) for x in part) for part in (data.carry.keys, data.carry.values)]
    data = jax.device_put(data._replace(carry=data.carry.replace(keys=rings[0], values=rings[1])))
    index = jnp.arange(setting.envs, dtype=jnp.int32)

    def update(params, moments, data):
        return ppo.optimise(config, loss, params, moments, data, index, jax.random.key(0), jnp.float32(0), None)[:2]

    compiled = jax.jit(update, donate_argnums=(0, 1))
    held = [jax.device_put(params), jax.jit(ppo.make_optimiser(config).init)(params)]

    def step() -> None:
        held[:] = jax.block_until_ready(compiled(*held, data))

    return step


def _torch(setting: Any, precision: str, framework: str, device: Any) -> Callable[[], None]:
    import torch

    from bench.flax_and_torch import PPO, batch, torch_batch, weights
    from lobjax.learn.torch import ppo as torch_ppo
    from lobjax.learn.torch.group import Group

    config = replace(PPO, minibatches=1)
    source = "transformer_engine" if framework == "transformer_engine" else "plain"
    agent = setting.torch(precision, source, device)
    agent.load_params(weights(setting))
    data = torch_batch(agent, batch(setting), device)
    wrapped = torch.compile(agent) if framework == "torch_compiled" else agent
    optimiser, alone = torch_ppo.make_optimiser(config, agent), Group(0, 1, device)
    chosen = torch.arange(setting.envs, device=device)[None]

    def step() -> None:
        torch_ppo.optimise(config, agent, wrapped, optimiser, data, chosen, 0.0, alone)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step
