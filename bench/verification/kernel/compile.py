"""A kernel compiled for a GPU that is described in a file, by XLA's own compiler in a process of its own; and what its code holds."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lobjax.errors import InputError

BOOKS, MESSAGES = 4096, 100  # of a compiled call; the code does not depend on the number of books
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


def compiled(target: Path, plugins: Path | None, capacity: int, kernel: str) -> str:
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
                f"kernel-compile: XLA wrote {len(codes)} texts of the kernel; try a jax that pyproject.toml asks for"
            )
        return codes[0]


def counted(code: str) -> dict[str, int]:
    """Instructions in the PTX, and of `COUNTED` each."""
    instructions = len(re.findall(r"^\s+(?:@!?%p\d+ )?[a-z][\w.:]*\s[^;]*;|^\s+ret;", code, re.MULTILINE))
    return {"ptx_instructions": instructions, **{what: len(re.findall(of, code)) for what, of in COUNTED.items()}}


def registers(ptxas: str, code: str) -> dict[str, int]:
    """Registers and spills of the machine's code, as ptxas tells them."""
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
    from lobjax.engine.kernel import replay
    from lobjax.engine.kernel.book import from_book
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
    from lobjax.market.kernel.call import market_step, opened

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
