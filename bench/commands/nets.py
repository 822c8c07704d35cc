"""`python -m bench nets`: seconds of a training step of the Transformer by framework, precision and size."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, Seed, ranged


@ranged
def nets(
    *,
    sizes: str = "small,default",
    frameworks: str = "flax,torch",
    precisions: str = "float32,bfloat16",
    envs: Annotated[int, Range(1, 1 << 20)] = 64,
    steps: Annotated[int, Range(1, 65_536)] = 16,
    window: Annotated[int, Range(1, 16_384)] = 16,
    runs: Annotated[int, Range(1, 1000)] = recording.LEAST_RUNS,
    seed: Seed = 0,
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
    from bench.speed import nets as work

    chosen = [
        _chosen(*choice)
        for choice in (
            ("--sizes", sizes, work.SIZES),
            ("--frameworks", frameworks, work.FRAMEWORKS),
            ("--precisions", precisions, work.PRECISIONS),
        )
    ]
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory on the same GPU
    import lobjax.torch_port  # noqa: F401 - says it where torch is missing
    from lobjax.learn.torch.group import group

    with group(device) as ours:
        work.check(chosen[1], ours.device)
        settings = {size: work.setting_of(size, envs, steps, window, seed) for size in chosen[0]}
        for size, setting in settings.items():
            for record in work.measured(size, setting, chosen[1], chosen[2], runs, ours.device):
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
