"""`python -m bench resume`: a run is killed at random moments and resumed; it must end as the one that never was, to the bit."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench import records
from lobjax.errors import InputError
from train.runfolder import RunFolder

CONFIG = Path("configs/train/smoke.yaml")


class Kill(NamedTuple):
    """One run that was killed: when, what lay there then, and how it ended."""

    at_s: float
    checkpoints: int  # complete or not
    update: int  # of the last line of metrics
    digest_equal: bool
    metrics_equal: bool


def resume(*, kills: int = 20, seed: int = 0, config: Path = CONFIG, out: Path | None = None) -> None:
    """Run CONFIG once to its end, then again and again: SIGKILL at a random moment, resume, compare hash of the state and metrics.

    Every other moment is drawn over the time before the first update; every other is within 20 ms after an update that is drawn, so that
    neither start nor training is missed, however busy the machine. One that comes too late, at a process that has ended, counts as
    no kill and is drawn again. The last line printed is JSON.

    Args:
        kills: How many runs are killed.
        seed: Of the moments, and of the runs.
        config: What is trained; its runs should last seconds.
        out: A file of JSON lines that the record is added to.
    """
    if kills < 1:
        raise InputError(f"--kills {kills}: give at least 1")
    if not config.is_file():
        raise InputError(f"--config {config}: no such file; run this in the repository's root or name another")
    records.check_out(out)
    folder = Path(tempfile.mkdtemp(prefix="lobjax-kills-"))
    try:
        first_s = _whole(config, folder / "whole", seed)
        wanted, lines = _digest(folder / "whole"), _lines(folder / "whole")
        print(f"never killed: the first of {len(lines)} updates after {first_s:.1f} s, {wanted}\n")
        print("kill     at s  checkpoints  update  state  metrics", flush=True)
        draw, done = random.Random(seed), []
        while len(done) < kills:
            training = len(done) % 2 == 1
            updates = draw.randint(1, max(1, len(lines) - 1)) if training else 0
            after = draw.uniform(0, 0.02 if training else first_s)
            killed, lasted = _killed(folder / "killed", config, seed, updates, after, wanted, lines)
            if killed is None:
                if not training:  # faster than the first, which may have compiled Numba code
                    first_s = min(first_s, lasted)
                continue
            done.append(killed)
            words = ["equal" if same else "DIFFERENT" for same in (killed.digest_equal, killed.metrics_equal)]
            row = f"{len(done):4}  {killed.at_s:7.2f}  {killed.checkpoints:11}  {killed.update:6}"
            print(row, *words, sep="  ", flush=True)
    finally:
        shutil.rmtree(folder)
    equal = sum(k.digest_equal and k.metrics_equal for k in done)
    record = {"bench": "resume", "config": str(config), "seed": seed, "first_update_s": records.rounded(first_s)}
    records.append(out, record | {"digest": wanted, "at": [k._asdict() for k in done], "kills": kills, "equal": equal})
    print(json.dumps({"kills": kills, "equal": equal}))
    if equal != kills:
        raise SystemExit(1)


def _whole(config: Path, folder: Path, seed: int) -> float:
    """Train to the end; seconds until the first update was there."""
    begun = time.perf_counter()
    process = subprocess.Popen(_command("run", config, folder, seed), stderr=subprocess.DEVNULL)
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


def _killed(
    folder: Path, config: Path, seed: int, updates: int, after: float, wanted: str, lines: list[dict]
) -> tuple[Kill | None, float]:
    """Run, kill `after` seconds from the update `updates` on, resume. None when it had ended by then; and the seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    process = subprocess.Popen(_command("run", config, folder, seed), stderr=subprocess.DEVNULL)
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
    last = max((line["update"] for line in _lines(folder)), default=0) if begun else 0
    if begun:
        _train("resume", folder)
    else:  # killed before there was anything to resume
        shutil.rmtree(folder, ignore_errors=True)
        _train("run", config, folder, seed)
    return Kill(round(at_s, 2), checkpoints, last, _digest(folder) == wanted, _lines(folder) == lines), at_s


def _command(name: str, target: Path, folder: Path | None = None, seed: int = 0) -> list[str]:
    to = ["--out", str(folder), "--seed", str(seed)] if folder else []
    return [sys.executable, "-m", "train", name, str(target), *to]


def _train(name: str, target: Path, folder: Path | None = None, seed: int = 0) -> str:
    done = subprocess.run(_command(name, target, folder, seed), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: python -m train {name} {target} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def _digest(folder: Path) -> str:
    return _train("digest", folder).strip()


def _lines(folder: Path) -> list[dict[str, Any]]:
    """The metrics without times, which no two runs share."""
    lines = RunFolder(folder).lines()
    return [{k: v for k, v in line.items() if not k.startswith("time/")} for line in lines]
