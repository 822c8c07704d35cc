"""What `python -m bench gpu-check` runs on a machine with an NVIDIA GPU: its tests and its measurements, into one folder of records.

Every part is a process of its own with a limit on its time, so that one that fails or hangs costs only itself: records that it
has written by then are kept.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from bench import recording
from lobjax.errors import InputError
from lobjax.files import whole_file

PARITY, NETS_RECORDS = "parity.jsonl", "nets.jsonl"
NETS = ["--sizes", "reference,wide", "--precisions", "bfloat16,fp8", "--envs", "256", "--steps", "16", "--window", "64"]
LOG, SUMMARY, RECORDS, TABLES, PLOT = "log.txt", "summary.json", "records.jsonl", "tables.md", "scaling.png"
PROBE = "import jax; print(jax.default_backend(), jax.devices()[0].device_kind, sep='|')"


class Part(NamedTuple):
    """One process: arguments of Python, and the most seconds that it may take."""

    name: str
    arguments: list[str]
    seconds: int


def found_gpu() -> str:
    """The name of the GPU that JAX would use. InputError where there is none. Asked of another process: this one takes no GPU memory."""
    command = [sys.executable, "-c", PROBE]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", env=_environment(), timeout=120
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            "gpu-check: JAX did not find its devices within two minutes; look at the driver with nvidia-smi"
        ) from None
    last = (asked.stdout.strip().splitlines() or [""])[-1]
    backend, _, kind = last.partition("|")
    if asked.returncode or backend != "gpu":
        raise InputError(
            "gpu-check: JAX finds no GPU here; run it on a machine with an NVIDIA GPU and its driver, with pip install -e '.[cuda,dev]'"
        )
    return kind


def parts(out: Path, data: Path | None, kernel_record: Path | None) -> list[Part]:
    """What is run, the most important first; sized for one H200."""
    every = ["--out", str(out / RECORDS), *(["--kernel-record", str(kernel_record)] if kernel_record else [])]
    books = ",".join(str(4**power) for power in range(9))
    engine, env = ["-m", "bench", "engine", *every], ["-m", "bench", "env", "--engine", "kernel", *every]
    listed = [
        Part("tests", ["-m", "pytest", "-m", "gpu", "--durations=5", "tests"], 180),
        Part("kernel", [*engine, "--engines", "kernel", "--books", books, "--capacity", "64,128"], 120),
    ]
    if data is not None:
        many = ["--messages-per-step", "1,100", "--envs", "1,1024,16384,65536"]
        listed.append(Part("recorded", [*env, "--flow", "recorded", "--data", str(data), *many], 120))
    simulated = ["--flow", "simulated", "--messages-per-step", "1,100", "--envs", "1,1024,16384"]
    listed.append(Part("simulated", [*env, *simulated], 120))
    listed.append(Part("parity", ["-m", "bench", "parity", "--out", str(out / PARITY)], 120))
    listed.append(
        Part(
            "nets", ["-m", "bench", "nets", *NETS, "--frameworks", _frameworks(), "--out", str(out / NETS_RECORDS)], 240
        )
    )
    listed.append(Part("xla", [*engine, "--engines", "xla", "--books", "1,64,1024,16384", "--capacity", "128"], 60))
    return listed


def _frameworks() -> str:
    """What `bench nets` can time here. Asked without importing torch: this process takes no GPU memory."""
    has = [name for name in ("torch", "transformer_engine") if find_spec(name) is not None]
    return ",".join(["flax", *has])


def run(part: Part, log: Path, left: float, *, stdout: Path | None = None) -> dict[str, Any]:
    """Run a part; its output goes to the end of the log, or its standard output to a file of its own."""
    limit, begun = min(part.seconds, left), time.monotonic()
    command = shlex.join(["python", *part.arguments])
    print(f"gpu-check: {part.name}, {max(limit, 0):.0f} s at most", file=sys.stderr, flush=True)
    with log.open("a", encoding="utf-8") as said:
        said.write(f"\n$ {command}\n")
        said.flush()
        if limit <= 0:
            status: int | str = "no time left"
        else:
            status = _status([sys.executable, *part.arguments], limit, said, stdout)
        said.write(f"\n{part.name}: {'ok' if status == 0 else status}\n")
    if status != 0:
        print(f"gpu-check: {part.name} failed ({status}); see {log}", file=sys.stderr, flush=True)
    seconds = round(time.monotonic() - begun, 1)
    return {"part": part.name, "status": status, "seconds": seconds, "command": command}


def _status(command: list[str], limit: float, said: Any, stdout: Path | None) -> int | str:
    try:
        if stdout is None:
            return subprocess.run(command, stdout=said, stderr=said, timeout=limit, env=_environment()).returncode
        with stdout.open("w", encoding="utf-8") as file:
            return subprocess.run(command, stdout=file, stderr=said, timeout=limit, env=_environment()).returncode
    except subprocess.TimeoutExpired:
        return f"stopped after {limit:.0f} s"


def summarise(out: Path, device: str, done: list[dict[str, Any]], data: Path | None) -> dict[str, Any]:
    """Write summary.json anew: it is whole whenever the command is stopped."""
    path = out / RECORDS
    summary = {
        "device": device,
        "date": recording.now(),
        "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        "recorded_flow": str(data) if data else "left out: no --data",
        "records": len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0,
        "parts": done,
    }
    with whole_file(out / SUMMARY) as temporary:
        temporary.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return summary


def _environment() -> dict[str, str]:
    # The tests choose the CPU where nothing is said.
    return os.environ | {"JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS") or "cuda,cpu"}
