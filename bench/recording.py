"""Records of measurements: JSON lines, one for each, stamped with what ran where. One writer, one reader.

A record of a tree that no commit holds says so, and its reader refuses it: nobody else can measure that again.
"""

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench.shapes import SHOWN
from lobjax import locks
from lobjax.cli import note
from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.ranges import whole_number
from lobjax.reading import exists, read_lines
from lobjax.schema import as_shape

_POSITIVE = ("messages_per_s", "steps_per_s", "books", "envs", "capacity")
LEAST_RUNS = 5  # of which a record gives the median, the least and the most


@cache
def origin() -> dict[str, Any]:
    """What all records of this process share: device, cores, versions, commit, command, the process's start as the name of its run."""
    import jax

    from lobjax.results.stamp import stamp

    stamped, kind = stamp(), jax.local_devices()[0].device_kind
    on_cpu = jax.default_backend() == "cpu"
    begun = now()
    return {
        "device": _processor() if on_cpu else kind,
        "backend": jax.default_backend(),
        "cores": cores(),
        "system": platform.platform(),
        "versions": stamped["versions"],
        "commit": stamped["commit"],
        "uncommitted": is_uncommitted(stamped["commit"]),
        "command": shlex.join([*_flags(), "python", "-m", "bench", *sys.argv[1:]]),
        "date": begun,
        "run": f"{begun}/{os.getpid()}",
    }


def is_uncommitted(commit: str) -> bool:
    """Whether a stamp's commit is of a tree with other changes too, or of none: "+" follows it, or it is unknown."""
    return commit.endswith("+") or commit == "unknown"


def _flags() -> list[str]:
    """Settings that may change a figure, XLA's flags among them, as they are set before a command where they are not the defaults."""
    from lobjax.results.surroundings import settings, variables

    return [f"{name}={value}" for name, value in variables(settings()).items()]


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now() -> str:
    """This moment in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def rates(name: str, values: Sequence[float]) -> dict[str, Any]:
    """Median, least and most of a rate over runs, under `name`, to four digits."""
    ordered = sorted(values)
    half = len(ordered) // 2
    median = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    shown = {name: median, f"{name}_min": ordered[0], f"{name}_max": ordered[-1]}
    return {**{key: rounded(value) for key, value in shown.items()}, "runs": len(ordered)}


def rounded(value: float, digits: int = 4) -> float:
    """To so many significant digits; whole where they are before the point."""
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() else short


def append(path: Path | None, record: Mapping[str, Any]) -> None:
    """Print a record as one JSON line, and add it to the file at `path`, if any. InputError where `path` cannot be a file."""
    busy = (
        round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    )  # over the last minute; this process is part of it
    line = json.dumps({**record, **origin(), "load_average": busy}, allow_nan=False)
    print(line, flush=True)
    if path is None:
        return
    if origin()["uncommitted"]:
        _say_uncommitted(path)
    check_out(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        locks.alone_on(file)
        file.write(line + "\n")


@cache
def _say_uncommitted(path: Path) -> None:
    note(f"{path}: this tree has uncommitted changes; the records say so, and `bench table` refuses them")


def check_out(path: Path | None) -> None:
    """InputError where records cannot be added to `path`; called before a long run too."""
    if path is None:
        return
    if path.exists() and not path.is_file():
        raise InputError(f"--out {path}: is not a file; name one that records are added to, as records.jsonl")
    if above := next((folder for folder in path.parents if folder.exists() and not folder.is_dir()), None):
        raise InputError(f"--out {path}: {above} is no folder; name a file in one")


def read(paths: Sequence[Path], *, uncommitted: bool = False) -> list[dict[str, Any]]:
    """All records of JSONL files, in order. InputError that names the file and line of what is none.

    uncommitted: take those of trees with uncommitted changes too.
    """
    records = []
    for path in paths:
        if not exists(path):
            raise InputError(f"{path}: no such file; name files that `python -m bench engine --out FILE` wrote")
        for number, record in read_lines(path):
            where, kind = f"{path}, line {number}", record.get("bench")
            if not isinstance(kind, str) or kind not in SHOWN:
                raise InputError(f"{where}: not a record of `bench engine` or `bench env`; remove it")
            as_shape(SHOWN[kind], record, where, "remove the line")
            if min(value for name, value in record.items() if name in _POSITIVE) <= 0:
                raise InputError(f"{where}: a rate or a count that is not above 0; remove the line")
            if is_uncommitted(record["commit"]) and not uncommitted:
                raise InputError(
                    f"{where}: measured on a tree that no commit holds (commit {printable(record['commit'], 60)}); "
                    "commit and measure again, or give --uncommitted"
                )
            records.append(record)
    if not records:
        raise InputError(f"{', '.join(map(str, paths))}: no record in it; run `python -m bench engine --out FILE`")
    return records


def numbers(option: str, text: str, least: int = 1, most: int = 2**31 - 1) -> list[int]:
    """'1,64,1024' as integers, in rising order, each once. InputError names the option and what is wrong."""
    parts = text.split(",")
    if len(parts) > 1000:
        raise InputError(f"{option}: {len(parts):,} values; give 1 to 1,000")
    return sorted({whole_number(option, part, least, most) for part in parts})


def check_runs(runs: int) -> None:
    """InputError for fewer runs than a median needs."""
    if runs < LEAST_RUNS:
        raise InputError(f"--runs {runs}: too few for a median with its spread; give at least {LEAST_RUNS}")


def _processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
