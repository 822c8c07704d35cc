"""Help, and an argument that is wrong, come at once: JAX, Numba and their like are imported when a command runs, not before."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("jax", "jaxlib", "numba", "flax", "optax", "numpy", "scipy", "polars", "pyarrow", "matplotlib", "torch")

# Every command in one process, twice: its help, and arguments that it cannot take.
EVERY = f"""
import contextlib, io, sys
from backtest.__main__ import main as backtest
from bench.__main__ import COMMANDS, main as bench
from importlib import import_module
from lobjax.__main__ import GROUPS, main as lobjax
from train.__main__ import commands, main as train

lines = [(train, [name]) for name in ("", *commands())]
lines += [(backtest, [name]) for name in ("", "run", "report")]
lines += [(lobjax, [group, name]) for group in GROUPS for name in ("", *import_module("lobjax.commands." + group).COMMANDS)]
lines += [(lobjax, [""])]
lines += [(bench, [name]) for name in ("", *COMMANDS)]
for main, words in lines:
    for last, status in (("--help", 0), ("--nonsense=1", 2)):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([*filter(None, words), last])
                stopped = 0
            except SystemExit as stop:
                stopped = stop.code or 0
        said = (main.__module__, words, last, stopped, out.getvalue(), err.getvalue())
        assert stopped == status, said
        assert ("usage" in said[4] and not said[5]) if status == 0 else said[5].count("\\n") == 1, said
loaded = sorted(set(sys.modules) & set({HEAVY!r}))
assert not loaded, loaded
print(len(lines))
"""

EARLY = [
    (["train", "run", "gone.yaml", "--out", "x"], "no such configuration file"),
    (
        ["train", "run", str(ROOT / "configs/train/smoke.yaml"), "--out", "x", "--set", "seed"],
        "expected key.path=value",
    ),
    (["train", "torch", "gone.yaml", "--out", "x"], "no such configuration file"),
    (["train", "sweep", "gone.yaml"], "no such configuration file"),
    (["backtest", "run", "gone.yaml", "--out", "x"], "no such configuration file"),
    (["bench", "env", "--engine", "cuda"], "--engine cuda: unknown"),
    (["bench", "engine", "--books", "many"], "not a whole number"),
    (["bench", "conformance", "--books", "0"], "out of range"),
    (["bench", "execution-paper", "--statistics", "1"], "out of range"),
]


def test_help_and_wrong_arguments_import_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", EVERY], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


@pytest.mark.parametrize(
    ("arguments", "said"), EARLY, ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else ""
)
def test_what_is_wrong_is_told_at_once(arguments, said, tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    lines = done.stderr.splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    told = [line for line in lines if not line.startswith("import time:")]
    assert done.returncode == 2 and len(told) == 1 and said in told[0], told
    assert "lobjax.errors" in loaded and not loaded & set(HEAVY)


@pytest.mark.parametrize(
    "words", [["train"], ["backtest", "run"], ["lobjax", "data", "build"], ["bench", "env"]], ids=" ".join
)
def test_help_takes_a_fraction_of_a_second(words):
    before = _cpu_s()
    subprocess.run([sys.executable, "-m", *words, "--help"], check=True, capture_output=True, cwd=ROOT, timeout=60)
    assert _cpu_s() - before < 1.0  # 0.2 s where this was written; it was 5 s


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
