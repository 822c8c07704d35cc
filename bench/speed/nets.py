"""`python -m bench nets`: seconds of a training step of the Transformer by framework, precision and size."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from bench import recording
from lobjax.errors import InputError, nearest

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


def nets(
    *,
    sizes: str = "small,default",
    frameworks: str = "flax,torch",
    precisions: str = "float32,bfloat16",
    envs: int = 64,
    steps: int = 16,
    window: int = 16,
    runs: int = recording.LEAST_RUNS,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    out: Path | None = None,
) -> None:
    """Time gradient steps (forward, backward, clipping, Adam) of PPO on one batch [steps, envs]. Prints and appends a record for each.

    Utilisation is of the operations that the step needs, against what the device can do in that precision. FP8 without Transformer
    Engine is computed on a CPU and then slower than not to quantise.

    Args:
        sizes: Of tiny, small, default, reference (12 + 12 layers of 768, 64 heads), wide (12 layers of 2,048).
        frameworks: Of flax, torch (plain layers), torch_compiled (the same under torch.compile), transformer_engine.
        precisions: Of float32, bfloat16, fp8.
        envs: Environments in the batch.
        steps: Steps of each.
        window: Steps that the network remembers.
        runs: Timed steps, of which a record gives median, least and most.
        seed: Of weights and batch.
        device: Where torch computes; JAX computes where JAX_PLATFORMS says.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    chosen = [
        _chosen(*choice)
        for choice in (
            ("--sizes", sizes, SIZES),
            ("--frameworks", frameworks, FRAMEWORKS),
            ("--precisions", precisions, PRECISIONS),
        )
    ]
    if min(envs, steps, window) < 1 or seed < 0:
        raise InputError("--envs, --steps and --window must be at least 1, --seed not negative")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory on the same GPU
    import lobjax.torch_port  # noqa: F401 - says it where torch is missing
    from train.torch_group import group

    with group(device) as ours:
        _check(chosen[1], ours.device)
        for size in chosen[0]:
            for record in _measured(size, chosen[1], chosen[2], envs, steps, window, runs, seed, ours.device):
                print(
                    f"{record['framework']} {record['precision']} {record['size']}: {1e3 * record['step_s']:,.1f} ms a step, "
                    f"{record['tokens_per_s']:,} tokens/s, {record['utilisation']:.1%} of the peak",
                    file=sys.stderr,
                )
                recording.append(out, record)


def _chosen(option: str, text: str, known: Any) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in known:
            raise InputError(f"{option} {text}: unknown '{name}'; {nearest(name, known)}")
    return names


def _check(frameworks: list[str], device: Any) -> None:
    from lobjax.torch_port.factory import why_no_transformer_engine

    missing = why_no_transformer_engine() or ("needs --device cuda" if device.type != "cuda" else None)
    if "transformer_engine" in frameworks and missing:
        raise InputError(f"--frameworks transformer_engine: {missing}")


def _measured(
    size: str,
    frameworks: list[str],
    precisions: list[str],
    envs: int,
    steps: int,
    window: int,
    runs: int,
    seed: int,
    device: Any,
) -> Iterator[dict[str, Any]]:
    import torch

    from bench.flax_and_torch import OBSERVATION, Setting
    from bench.speed.peak import most
    from lobjax.nets import TransformerConfig
    from lobjax.nets.size import size as size_of

    layers, width, heads, towers = SIZES[size]
    net = TransformerConfig(layers=layers, width=width, heads=heads, window=window, towers=towers)  # type: ignore[arg-type]
    setting = Setting(net=net, envs=envs, steps=steps, seed=seed)
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
                "heads": heads, "towers": towers, "envs": envs, "steps": steps, "window": window, "seed": seed, **half,
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
    from train import ppo

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
    from train import torch_ppo
    from train.torch_group import Group

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
