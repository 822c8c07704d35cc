"""`python -m bench kernel-compile`: the kernel compiled for an H200 by XLA's own compiler, on a machine that has no GPU."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from lobjax.errors import InputError
from lobjax.types import MAX_CAPACITY

BOOKS, MESSAGES = 4096, 100  # of a compiled call; the code does not depend on the number of books
PLAYED_BOOKS = 20
# What to count in PTX. Of these a kernel of one warp needs no barrier and no shared memory, and a shuffle is a reduction gone wrong.
COUNTED = {
    "reductions": r"\bredux\.sync",
    "shuffles": r"\bshfl\.",
    "barriers": r"\b(?:bar|barrier)\.",
    "shared": r"\b(?:ld|st)\.shared",
    "local": r"\b(?:ld|st)\.local",
    "branches": r"\bbra\b",
}
PTXAS = {
    "registers": r"Used (\d+) registers",
    "spill_store_bytes": r"(\d+) bytes spill stores",
    "spill_load_bytes": r"(\d+) bytes spill loads",
}


def kernel_compile(
    *,
    target: Path,
    plugins: Path | None = None,
    capacities: tuple[int, ...] = (32, 64, 128, 256, 512),
    ptx: Path | None = None,
) -> None:
    """Compile the book kernel, with and without its log of fills, for a GPU that is described in a file; try and count its code.

    The code runs on the CPU, instruction by instruction, on random streams of every kind of message: results are compared with the
    reference's, and instructions counted (PTX; the machine's own are about as many).

    Needs the CUDA plugin of the JAX that runs this, in a folder of its own so that JAX elsewhere stays as it is:
        pip install --no-deps --target FOLDER jax-cuda13-plugin==VERSION jax-cuda13-pjrt==VERSION
    Registers and spills come from ptxas, if one is on the PATH. One JSON line a kernel on standard output.

    Args:
        target: Text of the GPU's target (GpuTargetConfigProto), as XLA writes with --xla_dump_to on such a machine.
        plugins: The folder of the plugin; not needed where it is installed.
        capacities: Orders that a side holds.
        ptx: A folder to keep the PTX in.
    """
    if not target.is_file():
        raise InputError(f"--target: {target} is no file; give the text of a GPU's target")
    if plugins is not None and not (plugins / "jax_plugins").is_dir():
        raise InputError(f"--plugins: no jax_plugins in {plugins}; pip install --target it as --help says")
    if ptx is not None:
        ptx.mkdir(parents=True, exist_ok=True)
    if wrong := [n for n in capacities if not 1 <= n <= MAX_CAPACITY]:
        raise InputError(f"--capacities: {wrong[0]} is out of range; choose 1 to {MAX_CAPACITY} orders a side")
    ptxas = shutil.which("ptxas")
    if ptxas is None:
        print("no ptxas on the PATH: registers and spills stay unknown", file=sys.stderr)
    for capacity in capacities:
        for log in (False, True):
            code = _compiled(target, plugins, capacity, log)
            name = f"book_{capacity}{'_log' if log else ''}"
            if ptx is not None:
                (ptx / f"{name}.ptx").write_text(code)
            counts = {what: len(re.findall(pattern, code)) for what, pattern in COUNTED.items()}
            instructions = len(re.findall(r"^\s+(?:@!?%p\d+ )?[a-z][\w.:]*\s[^;]*;|^\s+ret;", code, re.MULTILINE))
            record = {"capacity": capacity, "log": log, "ptx_instructions": instructions, **counts}
            record |= (_registers(ptxas, code) if ptxas else {}) | _played(code, capacity, log)
            print(json.dumps(record), flush=True)
            if not record["equals_reference"]:
                raise SystemExit(f"error: the code compiled at capacity {capacity} does not do what the reference does")


def _compiled(target: Path, plugins: Path | None, capacity: int, log: bool) -> str:
    """The kernel's PTX. A process of its own: XLA reads the folder for its dump once, and this one's JAX is left alone."""
    with tempfile.TemporaryDirectory(prefix="lobjax-ptx-") as dump:
        paths = [str(plugins.resolve())] if plugins else []
        paths += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        environment = os.environ | {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"--xla_dump_to={dump} --xla_dump_emitter_re=.*",
            "PYTHONPATH": os.pathsep.join(paths),
        }
        command = [sys.executable, "-m", __name__, str(target), str(capacity), str(int(log))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise InputError(f"kernel-compile: {last}; give the CUDA plugin of jax's version with --plugins")
        # Beside the kernel there are small ones, of copies.
        codes = [text for path in Path(dump).glob("*.ptx") if ".entry lobjax_book(" in (text := path.read_text())]
        if len(codes) != 1:
            raise InputError(
                f"kernel-compile: XLA wrote {len(codes)} texts of the kernel; try the jax that the README names"
            )
        return codes[0]


def _played(code: str, capacity: int, log: bool) -> dict[str, Any]:
    """The compiled code tried on random streams: whether it equals the reference, and what a message takes on average."""
    from bench.compiled_book import play
    from bench.streams import random_streams
    from lobjax.reference import batch

    messages = random_streams(capacity, PLAYED_BOOKS, MESSAGES)
    played = play(code, messages, capacity, MESSAGES if log else 0)
    bids, asks, traded, fills, *counters = batch.run(messages, capacity)
    expected = [bids, asks, traded, fills if log else fills[:0], np.stack(counters, axis=1)]
    total = PLAYED_BOOKS * MESSAGES
    reductions = sum(count for opcode, count in played.executed.items() if opcode.startswith("redux"))
    return {
        "equals_reference": all(map(np.array_equal, played[:5], expected)),
        "instructions_per_message": round(played.executed.total() / total, 1),
        "reductions_per_message": round(reductions / total, 2),
    }


def _registers(ptxas: str, code: str) -> dict[str, int]:
    chip = re.search(r"\.target\s+(\w+)", code)
    assert chip is not None
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(code)
        file.flush()
        command = [ptxas, "-v", f"-arch={chip[1]}", file.name, "-o", os.devnull]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = {what: re.search(pattern, said) for what, pattern in PTXAS.items()}
    return {what: int(match[1]) for what, match in found.items() if match}


def _compile(target: str, capacity: int, log: bool) -> None:
    import jax
    import jax.numpy as jnp
    from jax.experimental import topologies

    from lobjax.book import empty_book
    from lobjax.engine.flat_book import from_book
    from lobjax.engine.kernel import replay
    from lobjax.types import Message

    gpu = topologies.get_topology_desc(platform="cuda", target_config=Path(target).read_text(), topology="1x1x1")
    mesh = topologies.make_mesh(topo=gpu, mesh_shape=(1,), axis_names=("x",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    def batch(record: Any) -> Any:
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct((BOOKS, *x.shape), x.dtype, sharding=sharding), record)

    book = batch(jax.eval_shape(lambda: from_book(empty_book(capacity))))
    stream = batch(Message(*[jax.ShapeDtypeStruct((MESSAGES,), jnp.int32)] * len(Message._fields)))
    run = jax.vmap(lambda book, stream: replay(book, stream, fill_rows=MESSAGES if log else 0, interpret=False))
    with jax.set_mesh(mesh):
        jax.jit(run).lower(book, stream).compile()


if __name__ == "__main__":
    _compile(sys.argv[1], int(sys.argv[2]), bool(int(sys.argv[3])))
