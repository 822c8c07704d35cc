"""How much memory a configuration takes is known before anything compiles, and refused in one line where there is less."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from backtest.run import run as backtest
from lobjax import memory
from lobjax.env.memory import state_bytes, step_bytes, stepping
from lobjax.errors import InputError
from lobjax.learn import devices, runner
from lobjax.learn.config import config_from
from lobjax.learn.learner import assemble
from lobjax.learn.memory import estimate
from lobjax.learn.tasks import MARKET
from lobjax.memory import Estimate, Part, in_words, machine_bytes
from lobjax.tasks import EnvConfig, MarketConfig, make
from tests.learn.probes import TASKS

SMALL = {
    "env": {"flow": {"kind": "poisson", "warm_up_s": 0.0}, "market": {"engine": "xla"}},
    "n_envs": 1 << 19,
    "rollout_length": 512,
    "total_steps": 10**12,
}


def write(path: Path, **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return path


def test_the_machine_says_what_is_left_in_every_group(tmp_path: Path):
    proc = write(tmp_path / "proc", meminfo="MemTotal: 900 kB\nMemAvailable:    800 kB\n")
    assert machine_bytes(proc, tmp_path / "none") == 800 * 1024
    write(proc / "self", cgroup="0::/slice/job\n")
    groups = tmp_path / "groups"
    write(groups / "slice" / "job", memory__max="max\n", memory__current="1", memory__stat="anon 1\n")
    assert machine_bytes(proc, groups) == 800 * 1024
    # The group above bounds it; pages of files that are not in use are free.
    write(
        groups / "slice", memory__max="600000\n", memory__current="500000", memory__stat="anon 1\ninactive_file 30000\n"
    )
    assert machine_bytes(proc, groups) == 130_000
    write(groups / "slice", memory__max="400000\n")
    assert machine_bytes(proc, groups) == 0


def test_groups_of_the_first_version_count_too(tmp_path: Path):
    proc = write(tmp_path / "proc", meminfo="MemAvailable: 800 kB\n")
    write(proc / "self", cgroup="5:cpu:/x\n4:memory:/docker\n")
    here = tmp_path / "groups" / "memory" / "docker"
    stat = "total_inactive_file 5000\n"
    write(here, memory__limit_in_bytes="100000", memory__usage_in_bytes="60000", memory__stat=stat)
    assert machine_bytes(proc, tmp_path / "groups") == 45_000
    assert machine_bytes(tmp_path / "nothing", tmp_path / "nothing") is None


def test_this_machine_has_some_left():
    left = machine_bytes()
    assert left is not None and 0 < left < 1 << 50


def test_a_device_that_computes_in_the_machines_memory_has_what_that_has(monkeypatch):
    if jax.local_devices()[0].memory_stats():
        pytest.skip("this device has memory of its own")
    monkeypatch.setattr(memory, "machine_bytes", lambda: 12_345)
    assert memory.free_bytes() == 12_345


def test_the_line_names_the_whole_the_largest_part_and_what_to_lower(monkeypatch):
    made = Estimate(
        {"the rollout": Part(3 << 30, "lower n_envs"), "parameters": Part(1 << 30, "less"), "dust": Part(9, "")}
    )
    made.check("this run", free=4 << 30 | 9)
    with pytest.raises(InputError) as refused:
        made.check("this run", free=1 << 30)
    assert str(refused.value) == (
        "this run needs about 4 GiB of memory and 1 GiB are free; most of it for the rollout (3 GiB): lower n_envs"
    )
    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 33)
    assert made.describe() == "memory: about 4 GiB (the rollout 3 GiB, parameters 1 GiB), 8 GiB free"
    monkeypatch.setattr(memory, "free_bytes", lambda: None)  # a device that does not tell refuses nothing
    made.check("this run")
    assert in_words(1536) == "1.5 KiB"


def test_a_run_that_does_not_fit_is_refused_before_it_compiles(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(devices, "compile_init", lambda *a, **k: pytest.fail("it compiled"))
    config = config_from(SMALL, MARKET.env_config)
    with pytest.raises(
        InputError, match=r"^this run needs about .* of memory and .* are free; most of it for the rollout"
    ):
        runner.start(config, MARKET, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_environments_are_counted_without_compiling_an_engine(monkeypatch):
    """Shapes are those of real states, and a step's random words are counted where a program holds them."""
    env = make(EnvConfig(market=MarketConfig(engine="xla", queue_places=64)))
    monkeypatch.setattr(type(env), "_warm_up", lambda self, key, market, params: market)
    real = jax.jit(env.reset)(jax.random.key(0))
    assert state_bytes(env, env.default_params) == sum(leaf.nbytes for leaf in jax.tree.leaves(real))
    assert step_bytes(env) == 4 * 128 * 3
    wide = make(EnvConfig(market=MarketConfig(engine="xla", max_messages=1 << 20)))
    assert stepping(wide, 1000, "fewer").total > 1000 * (1 << 20) * 12


def test_a_backtest_that_does_not_fit_is_refused(tmp_path: Path, monkeypatch):
    from backtest.config import BacktestConfig

    monkeypatch.setattr(memory, "free_bytes", lambda: 1 << 20)
    config = BacktestConfig(env=EnvConfig(market=MarketConfig(engine="xla")), strategies=("twap",))
    with pytest.raises(InputError, match=r"^this backtest needs about .* of memory and 1 MiB are free; .* lower batch"):
        backtest(config, None, tmp_path / "out", "")
    assert not (tmp_path / "out").exists()


NETS = {
    "mlp": {"kind": "mlp", "hidden": [128, 128]},
    "transformer": {"kind": "transformer", "layers": 2, "width": 32, "heads": 2, "window": 8},
    "gru": {"kind": "gru", "width": 64},
}


@pytest.mark.parametrize("net", NETS)
def test_the_estimate_is_near_what_the_compiled_update_takes(net):
    plain = {"env": {"probe": "simplex"}, "net": NETS[net], "n_envs": 1024, "rollout_length": 16, "total_steps": 10**6}
    config = config_from(plain, TASKS.env_config)
    env = TASKS.make(config.env)
    learner = assemble(config, env)
    state = jax.eval_shape(learner.init, jax.random.key(0), env.default_params)
    update = devices.compile_update(learner.make_update, state, env.default_params, 1)
    analysis = update.memory_analysis()
    taken = analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes
    taken -= analysis.alias_size_in_bytes
    assert 1 / 1.5 < estimate(config, env).total / taken < 1.5


WATCH = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stderr, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


@pytest.mark.parametrize(
    "settings",
    [
        ["env.market.max_messages=1073741824"],
        ["n_envs=1048576", "rollout_length=2000", "total_steps=1000000000000", "net.window=2000"],
    ],
)
def test_a_process_ends_with_one_line(tmp_path: Path, settings):
    """Status 2, soon, and without the memory that was asked for."""
    config = Path(__file__).parents[1] / "configs" / "train" / "execution.yaml"
    command = [sys.executable, "-m", "train", "run", str(config), "--out", str(tmp_path / "run"), "--set", *settings]
    # By a process between: one begins with the memory of who started it, and this one may have much.
    found = subprocess.run([sys.executable, "-c", WATCH, *command], capture_output=True, text=True, check=True)
    status, said, seconds, kilobytes = json.loads(found.stdout)
    assert status == 2 and said.startswith("error: ") and said.count("\n") == 1, said
    assert seconds < 15 and kilobytes < 1 << 20
    assert not (tmp_path / "run").exists()
