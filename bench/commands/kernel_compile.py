"""`python -m bench kernel-compile`: the kernel compiled for an H200 by XLA's own compiler, on a machine that has no GPU."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.files import whole_file
from lobjax.ranges import Length, Range, ranged


@ranged
def kernel_compile(
    *,
    target: Path,
    plugins: Path | None = None,
    capacities: Annotated[tuple[Annotated[int, Range(1, 512)], ...], Length(1, 64)] = (32, 64, 128, 256, 512),
    kernels: tuple[str, ...] = ("book", "book_log", "market_poisson", "market_recorded"),
    ptx: Path | None = None,
    out: Path | None = None,
) -> None:
    """Compile the kernels for a GPU that is described in a file: of a book, with and without its log, and of a market; try and count them.

    The code runs on the CPU, instruction by instruction, on random messages of every kind: results are compared with the reference's
    (a market's with those of the engine xla, in every leaf of its state), and instructions counted (PTX; the machine's own are about as
    many).

    Needs the CUDA plugin of the JAX that runs this, in a folder of its own so that JAX elsewhere stays as it is:
        pip install --no-deps --target FOLDER jax-cuda13-plugin==VERSION jax-cuda13-pjrt==VERSION
    Registers and spills come from ptxas, if one is on the PATH. One JSON line a kernel on standard output.

    Args:
        target: Text of the GPU's target (GpuTargetConfigProto), as XLA writes with --xla_dump_to on such a machine.
        plugins: The folder of the plugin; not needed where it is installed.
        capacities: Orders that a side holds.
        kernels: Some of book, book_log, market_poisson, market_recorded.
        ptx: A folder to keep the PTX in.
        out: A file of JSON lines that the records are added to.
    """
    recording.check_out(out)
    if not target.is_file():
        raise InputError(f"--target: {target} is no file; give the text of a GPU's target")
    if plugins is not None and not (plugins / "jax_plugins").is_dir():
        raise InputError(f"--plugins: no jax_plugins in {plugins}; pip install --target it as --help says")
    if ptx is not None:
        ptx.mkdir(parents=True, exist_ok=True)
    from bench.verification.kernel import compile as work
    from bench.verification.kernel.trial import KERNELS

    if unknown := [name for name in kernels if name not in KERNELS]:
        raise InputError(f"--kernels: unknown kernel '{unknown[0]}'; {nearest(unknown[0], KERNELS)}")
    ptxas = shutil.which("ptxas")
    if ptxas is None:
        print("no ptxas on the PATH: registers and spills stay unknown", file=sys.stderr)
    for capacity in capacities:
        for kernel in kernels:
            code = work.compiled(target, plugins, capacity, kernel)
            if ptx is not None:
                with whole_file(ptx / f"{kernel}_{capacity}.ptx") as temporary:
                    temporary.write_text(code, encoding="utf-8")
            record = {"bench": "kernel-compile", "kernel": kernel, "capacity": capacity, "log": kernel == "book_log"}
            record |= {"target": target.stem}
            record |= {**work.counted(code)}
            record |= (work.registers(ptxas, code) if ptxas else {}) | KERNELS[kernel](code, capacity)
            recording.append(out, record)
            if not record["equals_reference"]:
                raise SystemExit(
                    f"error: the kernel {kernel} compiled at capacity {capacity} does not do what it should"
                )
