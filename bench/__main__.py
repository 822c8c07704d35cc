"""`python -m bench COMMAND`: run engines on files, replay recorded days, measure. One module a command."""

import sys
from collections.abc import Sequence
from importlib import import_module

from lobjax.cli import run_command
from lobjax.errors import InputError, exits_cleanly, nearest

# command: (module, function, what it does). Modules are imported when asked for: one command's libraries do not slow another's start.
COMMANDS = {
    "run-stream": ("bench.commands.run_stream", "run_stream", "run one engine on a file of message streams"),
    "conformance": (
        "bench.commands.conformance",
        "conformance",
        "compare engines with the reference on random streams of every kind",
    ),
    "engine": ("bench.commands.engine", "engine", "measure messages a second by engine, books, capacity and stream"),
    "env": ("bench.commands.env", "env", "measure environment steps a second in recorded and simulated markets"),
    "execution-cell": (
        "bench.commands.execution_cell",
        "execution_cell",
        "play one strategy in one of the execution paper's markets",
    ),
    "execution-paper": (
        "bench.commands.execution_paper",
        "execution_paper",
        "the execution paper's tables: ours, theirs, and z",
    ),
    "sweep": (
        "bench.commands.sweep",
        "sweep",
        "measure seeds in one compiled training program against runs one after another",
    ),
    "table": ("bench.commands.table", "table", "turn records into a Markdown table and a scaling plot"),
    "gpu-check": (
        "bench.verification.gpu_check",
        "gpu_check",
        "test and measure on a GPU, and leave one folder of records",
    ),
    "kernel-compile": (
        "bench.verification.kernel.compile",
        "kernel_compile",
        "compile the GPU kernel without a GPU, try and count its code",
    ),
    "market-statistics": (
        "bench.commands.market_statistics",
        "market_statistics",
        "simulated markets without an agent: statistics beside an independent simulator's, impact, depth, flow",
    ),
    "snapshot": ("bench.commands.snapshot", "snapshot", "measure steps a second of the snapshot environment"),
    "nets": ("bench.speed.nets", "nets", "measure training steps of the Transformer by framework, precision and size"),
    "parity": ("bench.commands.parity", "parity", "compare Flax and torch: forward, gradients, updates, FP8 codes"),
    "resume": (
        "bench.commands.resume",
        "resume",
        "kill training runs at random moments; they must end as if they never were",
    ),
    "train": (
        "bench.commands.train",
        "train",
        "measure training steps a second, compile time, memory and time per phase",
    ),
    "replay": (
        "bench.commands.replay",
        "replay",
        "replay a recorded LOBSTER day and compare every row with its book file",
    ),
}


def usage() -> str:
    lines = [f"  {name:<17} {summary}" for name, (_, _, summary) in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m bench COMMAND ...", "", *lines, "", "python -m bench COMMAND --help tells more of one."]
    )


@exits_cleanly
def main(given: Sequence[str] | None = None) -> None:
    """Run the command that the first argument names."""
    name, *arguments = (sys.argv[1:] if given is None else given) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return
    if name not in COMMANDS:
        raise InputError(f"bench: unknown command '{name}'; {nearest(name, COMMANDS)}")
    module, function, _ = COMMANDS[name]
    run_command(getattr(import_module(module), function), f"python -m bench {name}", arguments)


if __name__ == "__main__":
    main()
