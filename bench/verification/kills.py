"""`python -m bench resume`: a run is killed at random moments and resumed; it must end as the one that never was, to the bit."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.learn import runner
from lobjax.learn.config import load_config
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.tasks import MARKET


class Kill(NamedTuple):
    """One run that was killed: when, what lay there then, and how it ended."""

    at_s: float
    checkpoints: int  # complete or not
    update: int  # of the last line of metrics
    digest_equal: bool
    metrics_equal: bool


def check(config: Path, seed: int) -> None:
    """InputError for a run that would be refused, too large a one too, before a process is started for it."""
    runner.check(load_config(config, f"seed={seed}"), MARKET)


def run_whole(config: Path, folder: Path, seed: int) -> float:
    """Train to the end; seconds until the first update was there."""
    begun = time.perf_counter()
    process = subprocess.Popen(train_command("run", config, folder, seed), stderr=subprocess.DEVNULL)
    _until(process, folder, 1)
    first = time.perf_counter()
    if process.wait():
        raise SystemExit(f"error: python -m train run {config} failed; run it alone to see why")
    return first - begun


def _until(process: subprocess.Popen, folder: Path, updates: int) -> None:
    """Wait until the metrics of so many updates have been written, or the process has ended."""
    metrics = folder / "metrics.jsonl"
    while process.poll() is None and updates:
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= updates:
            return
        time.sleep(0.002)


def kill_and_resume(
    folder: Path, config: Path, seed: int, updates: int, after: float, wanted: str, lines: list[dict]
) -> tuple[Kill | None, float]:
    """Run, kill `after` seconds from the update `updates` on, resume. None when it had ended by then; and the seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    process = subprocess.Popen(train_command("run", config, folder, seed), stderr=subprocess.DEVNULL)
    _until(process, folder, updates)
    since = time.perf_counter()
    try:
        process.wait(after)
        return None, time.perf_counter() - since
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    at_s = time.perf_counter() - started
    begun = (folder / "run.json").exists()
    checkpoints = len(list((folder / "checkpoints").glob("*[0-9]*"))) if begun else 0
    last = max((line["update"] for line in metric_lines(folder)), default=0) if begun else 0
    if begun:
        _train("resume", folder)
    else:  # killed before there was anything to resume
        shutil.rmtree(folder, ignore_errors=True)
        _train("run", config, folder, seed)
    return Kill(round(at_s, 2), checkpoints, last, digest_of(folder) == wanted, metric_lines(folder) == lines), at_s


def train_command(name: str, target: Path, folder: Path | None = None, seed: int = 0) -> list[str]:
    """The process that is started, and killed: `python -m train NAME TARGET`."""
    to = ["--out", str(folder), "--seed", str(seed)] if folder else []
    return [sys.executable, "-m", "train", name, str(target), *to]


def _train(name: str, target: Path, folder: Path | None = None, seed: int = 0) -> str:
    done = subprocess.run(
        train_command(name, target, folder, seed),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"error: python -m train {name} {target} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def digest_of(folder: Path) -> str:
    return _train("digest", folder).strip()


def metric_lines(folder: Path) -> list[dict[str, Any]]:
    """The metrics without times, which no two runs share."""
    lines = RunFolder(folder).lines()
    return [{k: v for k, v in line.items() if not k.startswith("time/")} for line in lines]
