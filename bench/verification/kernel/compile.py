"""`python -m bench kernel-compile`: the kernel compiled for an H200 by XLA's own compiler, on a machine that has no GPU."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.files import whole_file
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
    if wrong := [n for n in capacities if not 1 <= n <= MAX_CAPACITY]:
        raise InputError(f"--capacities: {wrong[0]} is out of range; choose 1 to {MAX_CAPACITY} orders a side")
    if unknown := [name for name in kernels if name not in KERNELS]:
        raise InputError(f"--kernels: unknown kernel '{unknown[0]}'; {nearest(unknown[0], KERNELS)}")
    ptxas = shutil.which("ptxas")
    if ptxas is None:
        print("no ptxas on the PATH: registers and spills stay unknown", file=sys.stderr)
    for capacity in capacities:
        for kernel in kernels:
            code = _compiled(target, plugins, capacity, kernel)
            if ptx is not None:
                with whole_file(ptx / f"{kernel}_{capacity}.ptx") as temporary:
                    temporary.write_text(code, encoding="utf-8")
            counts = {what: len(re.findall(pattern, code)) for what, pattern in COUNTED.items()}
            instructions = len(re.findall(r"^\s+(?:@!?%p\d+ )?[a-z][\w.:]*\s[^;]*;|^\s+ret;", code, re.MULTILINE))
            record = {"bench": "kernel-compile", "kernel": kernel, "capacity": capacity, "log": kernel == "book_log"}
            record |= {"target": target.stem}
            record |= {"ptx_instructions": instructions, **counts}
            record |= (_registers(ptxas, code) if ptxas else {}) | KERNELS[kernel](code, capacity)
            recording.append(out, record)
            if not record["equals_reference"]:
                raise SystemExit(
                    f"error: the kernel {kernel} compiled at capacity {capacity} does not do what it should"
                )


def _compiled(target: Path, plugins: Path | None, capacity: int, kernel: str) -> str:
    """The kernel's PTX. A process of its own: XLA reads the folder for its dump once, and this one's JAX is left alone."""
    with tempfile.TemporaryDirectory(prefix="lobjax-ptx-") as dump:
        paths = [str(plugins.resolve())] if plugins else []
        paths += [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        environment = os.environ | {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"--xla_dump_to={dump}",
            "PYTHONPATH": os.pathsep.join(paths),
        }
        command = [sys.executable, "-m", __name__, str(target), str(capacity), kernel]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, encoding="utf-8", errors="replace"
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise InputError(f"kernel-compile: {last}; give the CUDA plugin of jax's version with --plugins")
        # Beside the kernel there are small ones, of copies.
        codes = [
            text for path in Path(dump).glob("*.ptx") if ".entry lobjax_" in (text := path.read_text(encoding="utf-8"))
        ]
        if len(codes) != 1:
            raise InputError(
                f"kernel-compile: XLA wrote {len(codes)} texts of the kernel; try the jax that the README names"
            )
        return codes[0]


def _played_book(code: str, capacity: int, *, log: bool) -> dict[str, Any]:
    """The book kernel tried on random streams: whether it equals the reference, and what a message takes on average."""
    import numpy as np

    from bench.peers_stream import peers_stream
    from bench.verification.kernel.book import play
    from lobjax.engine.random_streams import random_streams
    from lobjax.reference import batch

    messages = random_streams(capacity, PLAYED_BOOKS, MESSAGES)
    played = play(code, messages, capacity, MESSAGES if log else 0)
    bids, asks, traded, fills, *counters = batch.run(messages, capacity)
    expected = [bids, asks, traded, fills if log else fills[:0], np.stack(counters, axis=1)]
    total = PLAYED_BOOKS * MESSAGES
    own = {}
    if not log:  # what `bench engine` runs and sets against this count
        counted = play(code, peers_stream(capacity, PLAYED_BOOKS, MESSAGES), capacity, 0).executed.total()
        own["instructions_per_message_peers"] = round(counted / total, 1)
    return {
        **own,
        "equals_reference": all(map(np.array_equal, played[:5], expected)),
        **_taken(played.executed, total),
    }


def _played_market(code: str, capacity: int, *, flow: str) -> dict[str, Any]:
    """The same of the market kernel: whether it equals the loop in XLA."""
    from bench.verification.kernel.market import play

    played = play(code, flow, capacity)
    return {"equals_reference": played.equals_loop, **_taken(played.executed, played.messages)}


def _taken(executed: Counter[str], messages: int) -> dict[str, float]:
    """Instructions a message: all, and those of the slower kinds."""
    slow = {"reductions": "redux", "shuffles": "shfl", "loads": "ld.global", "divisions": "div"}
    totals = {
        name: sum(n for opcode, n in executed.items() if opcode.startswith(start)) for name, start in slow.items()
    }
    totals = {"instructions": executed.total(), **totals}
    return {f"{name}_per_message": round(n / messages, 2) for name, n in totals.items()}


# By name: how the compiled code is tried.
KERNELS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "book": partial(_played_book, log=False),
    "book_log": partial(_played_book, log=True),
    "market_poisson": partial(_played_market, flow="poisson"),
    "market_recorded": partial(_played_market, flow="recorded"),
}


def _registers(ptxas: str, code: str) -> dict[str, int]:
    chip = re.search(r"\.target\s+(\w+)", code)
    assert chip is not None
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".ptx") as file:
        file.write(code)
        file.flush()
        command = [ptxas, "-v", f"-arch={chip[1]}", file.name, "-o", os.devnull]
        said = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=True
        ).stderr
    found = {what: re.search(pattern, said) for what, pattern in PTXAS.items()}
    return {what: int(match[1]) for what, match in found.items() if match}


def _compile(target: str, capacity: int, kernel: str) -> None:
    """Compile; XLA writes the code to its dump."""
    import jax
    from jax.experimental import topologies

    gpu = topologies.get_topology_desc(
        platform="cuda", target_config=Path(target).read_text(encoding="utf-8"), topology="1x1x1"
    )
    mesh = topologies.make_mesh(topo=gpu, mesh_shape=(1,), axis_names=("x",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    run, arguments = _book_call(capacity, kernel) if kernel.startswith("book") else _market_call(capacity, kernel)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), arguments)
    with jax.set_mesh(mesh):
        jax.jit(run).lower(*shapes).compile()


def _book_call(capacity: int, kernel: str) -> tuple[Callable, tuple]:
    """A call of the book kernel on a batch: the function, and its arguments' shapes."""
    import jax
    import jax.numpy as jnp

    from lobjax.book import empty_book
    from lobjax.engine.flat_book import from_book
    from lobjax.engine.kernel import replay
    from lobjax.types import Message

    book = jax.eval_shape(lambda: from_book(empty_book(capacity)))
    stream = Message(*[jax.ShapeDtypeStruct((MESSAGES,), jnp.int32)] * len(Message._fields))
    batch = jax.tree.map(lambda x: jax.ShapeDtypeStruct((BOOKS, *x.shape), x.dtype), (book, stream))
    return jax.vmap(partial(replay, fill_rows=MESSAGES if kernel == "book_log" else 0, interpret=False)), batch


def _market_call(capacity: int, kernel: str) -> tuple[Callable, tuple]:
    """A call of the market kernel, as `bench.verification.kernel.market` plays it."""
    import jax
    import jax.numpy as jnp

    from bench.verification.kernel.market import market_of, random_orders
    from lobjax.market.kernel import market_step, opened

    market, params = market_of(kernel.removeprefix("market_"), capacity)
    step = partial(market_step, market.flow, market.sizes, interpret=False)

    def state(key: jax.Array):
        return opened(market.open(key, params))

    states = jax.eval_shape(lambda: jax.vmap(state)(jax.random.split(jax.random.key(0), BOOKS)))
    orders = jax.eval_shape(lambda: random_orders(0, BOOKS))
    words = jax.ShapeDtypeStruct((BOOKS, market.sizes.draws, market.flow.words), jnp.uint32)
    return jax.vmap(step, in_axes=(0, 0, 0, 0, None)), (states, orders, states.now, words, params)


if __name__ == "__main__":
    _compile(sys.argv[1], int(sys.argv[2]), sys.argv[3])
