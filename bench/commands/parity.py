"""`python -m bench parity`: one network in Flax and in torch, the same numbers in both; how far apart what they compute is."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from bench import recording
from lobjax.ranges import Range, Seed, ranged


@ranged
def parity(
    *,
    layers: Annotated[int, Range(1, 256)] = 2,
    width: Annotated[int, Range(1, 16_384)] = 128,
    heads: Annotated[int, Range(1, 1024)] = 4,
    window: Annotated[int, Range(1, 16_384)] = 16,
    towers: Literal["shared", "separate"] = "shared",
    envs: Annotated[int, Range(1, 1 << 20)] = 16,
    steps: Annotated[int, Range(1, 65_536)] = 16,
    seed: Seed = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    out: Path | None = None,
) -> None:
    """Compare forward, gradients and whole updates in float32, bfloat16 and FP8, layer by layer, and FP8's codes and scales to the bit.

    Prints a Markdown table and, last, one JSON line; ends with status 1 where a gate is passed. FP8 is computed in both frameworks with
    float32 around it (precision fp8_float32); `fp8_mixed_*` are the same with bfloat16 around it, as it runs on hardware. Where
    Transformer Engine is usable its layers are compared too, under names `te_*`.

    Args:
        layers: Layers of a tower.
        width: Width of the network; a multiple of 16.
        heads: Heads of attention.
        window: Steps that it remembers.
        towers: One trunk, or an actor and a critic of that size each.
        envs: Environments in the batch; a multiple of 16.
        steps: Steps of each.
        seed: Of weights and batches.
        device: Where torch computes; auto takes a GPU where there is one. JAX computes where JAX_PLATFORMS says.
        out: A file of JSON lines that the record is added to.
    """
    recording.check_out(out)
    from bench.verification.parity import compare as work
    from lobjax.torch_port.factory import check_multiples, why_no_transformer_engine  # says it where torch is missing

    setting = work.checked_setting(layers, width, heads, window, towers, envs, steps, seed)
    check_multiples(width=width, envs=envs)
    work.check_memory(setting)
    from lobjax.learn.torch.group import group

    with group(device) as ours:
        real = ours.device.type == "cuda" and why_no_transformer_engine() is None
        sources = ["plain", "transformer_engine"] if real else ["plain"]
        rows, figures, tensors = work.compared(setting, sources, ours.device)
        figures |= work.compare_updates(setting, rows, ours.device)
    from bench.verification.parity.codes import compare_codes

    codes = compare_codes(tensors)
    figures["fp8_codes_equal"] = not codes.differing
    print(work.table(rows))
    for name in codes.differing:
        print(f"codes or scales differ: {name}", file=sys.stderr)
    wrong = work.failed(figures)
    figures |= {"codes_compared": codes.codes, "tensors_compared": codes.tensors, "gates_failed": wrong}
    about = {
        "layers": layers,
        "width": width,
        "heads": heads,
        "window": window,
        "towers": towers,
        "envs": envs,
        "steps": steps,
    }
    table_rows = [[*row[:4], float(f"{row.apart.l2:.4g}"), float(f"{row.apart.cosine:.9g}")] for row in rows]
    about |= {"seed": seed, "torch_device": ours.device.type, "transformer_engine": real, "rows": table_rows}
    recording.append(out, {"bench": "parity", **figures, **about})
    if wrong:
        raise SystemExit(1)
