"""Work that goes on under other settings than it began with is refused in a line; and one process at a time writes a folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from bench.papers.execution import training
from bench.papers.execution.cells import CELLS
from lobjax.errors import InputError
from lobjax.learn import checkpoint, processes
from lobjax.learn.config import config_from
from lobjax.learn.flax import FlaxLearner
from lobjax.learn.sweep import cluster
from lobjax.learn.sweep.run import run_sweep
from lobjax.results import surroundings
from lobjax.results.stamp import stamp
from tests.holding import writer
from tests.learn.conftest import command
from tests.learn.probes import TASKS
from tests.learn.sweeps import by_formula, loaded

SETTINGS = {
    "jax_enable_x64": True,
    "jax_default_matmul_precision": "highest",
    "jax_threefry_partitionable": False,
    "jax_default_prng_impl": "rbg",
    "jax_random_seed_offset": 3,
    "jax_disable_jit": True,
}


@pytest.fixture
def under():
    """under(name, value) sets one of JAX's settings until the end of the test."""
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    yield jax.config.update
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def copy(finished_run, tmp_path) -> Path:
    return shutil.copytree(finished_run, tmp_path / "copy")


def refused(capsys, *arguments: object) -> str:
    with pytest.raises(SystemExit) as stopped:
        command(*arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.startswith("error: ") and said.count("\n") == 1, said
    return said


def edit(path: Path, **changes) -> None:
    """Change run.json's settings; None takes them all away."""
    about = json.loads(path.read_text())
    if changes:
        about["settings"] |= changes
    else:
        del about["settings"]
    path.write_text(json.dumps(about))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_run_records_what_its_numbers_depend_on(finished_run):
    about = json.loads((finished_run / "run.json").read_text())
    assert about["settings"].items() >= surroundings.DEFAULTS.items()
    others = {"jax_numpy_rank_promotion", "jax_numpy_dtype_promotion", "jax_debug_nans", "XLA_FLAGS"}
    assert about["settings"].keys() > others and about["settings"] == surroundings.settings()
    assert about["device"].keys() >= {"kind", "platform", "count", "processes", "cores"}
    saved = checkpoint.complete(finished_run / "checkpoints")[-1]
    assert saved.settings == about["settings"]


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_another_setting_does_not_resume(copy, capsys, under, name, value):
    was = getattr(jax.config, name)
    under(name, value)
    said = refused(capsys, "resume", copy)
    shown = [repr(x) if isinstance(x, str) else str(x) for x in (was, value)]
    assert f"{name} {shown[0]}, and here it is {shown[1]}" in said and name.upper() in said and "run.json" in said
    under(name, was)
    edit(copy / "run.json", **{name: value})
    assert f"{name} {shown[1]}, and here it is {shown[0]}" in refused(capsys, "resume", copy)
    assert names(copy.parent) == ["copy"]


def test_a_setting_of_the_environment_is_seen_by_the_command(copy):
    done = subprocess.run(
        [sys.executable, "-m", "tests.learn.probes", "resume", str(copy)], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"JAX_ENABLE_X64": "1"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "jax_enable_x64 False, and here it is True; set JAX_ENABLE_X64=False" in done.stderr


def test_settings_that_change_no_number_and_a_folder_of_before_resume(copy, capsys, under):
    try:
        jax.config.update("jax_debug_nans", True)
        command("resume", copy)
    finally:
        jax.config.update("jax_debug_nans", False)
    assert "run.json" not in capsys.readouterr().err
    edit(copy / "run.json")
    command("resume", copy)
    said = capsys.readouterr().err
    assert said.count("records no settings; the defaults are taken for them") == 1
    under("jax_enable_x64", True)
    assert "jax_enable_x64 False, the default, as it is not recorded, and here it is True" in refused(
        capsys, "resume", copy
    )


def test_versions_devices_and_flags_that_changed_are_said(copy, capsys):
    about = json.loads((copy / "run.json").read_text())
    about["versions"]["jaxlib"], about["device"]["kind"] = "0.9.0", "NVIDIA H200"
    about["settings"]["XLA_FLAGS"] = "--xla_gpu_autotune_level=0"
    (copy / "run.json").write_text(json.dumps(about))
    command("resume", copy)
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "run.json" in line]
    assert "jaxlib was '0.9.0'" in said and "kind of devices was 'NVIDIA H200'" in said and "last digits" in said
    assert "XLA_FLAGS was '--xla_gpu_autotune_level=0', is " in said


@pytest.mark.parametrize("settings", ["none", [1], 3])
def test_damaged_settings_are_one_line(copy, capsys, settings):
    about = json.loads((copy / "run.json").read_text()) | {"settings": settings}
    (copy / "run.json").write_text(json.dumps(about))
    assert "its settings are damaged" in refused(capsys, "resume", copy)


def test_a_named_checkpoint_of_other_settings_is_refused(copy, capsys):
    named = copy / "checkpoints" / "00000004"
    edit(named / "meta.json", jax_enable_x64=True)
    assert "00000004: made with jax_enable_x64 True" in refused(capsys, "resume", copy, "--checkpoint", named)
    edit(named / "meta.json")  # one of before
    checkpoint.check_run(checkpoint.find(named), json.loads((copy / "run.json").read_text())["config"])


def test_a_sweep_goes_on_under_the_same_settings_alone(tmp_path, under, capsys):
    sweep, out = loaded(tmp_path, trials=8), tmp_path / "out"
    run_sweep(sweep, out, by_formula(sweep))
    before = (out / "trials.parquet").read_bytes()
    under("jax_default_matmul_precision", "highest")
    with pytest.raises(InputError, match=r"sweep\.json: made with jax_default_matmul_precision None, and here"):
        run_sweep(sweep, out, by_formula(sweep))
    under("jax_default_matmul_precision", None)
    edit(out / "sweep.json")
    run_sweep(sweep, out, by_formula(sweep))
    assert "records no settings" in capsys.readouterr().err and (out / "trials.parquet").read_bytes() == before


def test_a_ray_worker_of_other_settings_or_versions_says_so(under):
    settings, versions = surroundings.settings(), stamp()["versions"]
    assert cluster.refusal(settings, versions) is None and surroundings.variables(settings) == {}
    said = cluster.refusal(settings, versions | {"jax": "0.9.9"})
    assert said and f"has jax {jax.__version__}, and the sweep was started with 0.9.9" in said
    under("jax_enable_x64", True)
    said = cluster.refusal(settings, versions)
    assert said and "worker on " in said and "jax_enable_x64 False, and here it is True" in said and "\n" not in said
    assert surroundings.variables(surroundings.settings()) == {"JAX_ENABLE_X64": "True"}, (
        "what workers are started with"
    )


def test_an_agent_of_a_benchmark_that_was_trained_under_other_settings_is_not_taken(finished_run, tmp_path, under):
    run = training.run_for("ln", CELLS[0], 7)
    shutil.copytree(finished_run, tmp_path / run.name)
    config = config_from(json.loads((finished_run / "run.json").read_text())["config"], TASKS.env_config)
    assert training.finished(run, config, tmp_path, TASKS).path == tmp_path / run.name
    under("jax_default_matmul_precision", "highest")
    with pytest.raises(InputError, match="made with jax_default_matmul_precision None"):
        training.finished(run, config, tmp_path, TASKS)


def test_processes_of_one_run_must_be_alike(monkeypatch):
    seen = {}

    def gather(marks):
        seen["marks"] = marks
        return [marks, marks + (marks != marks[0])]

    monkeypatch.setattr(processes.jax, "process_count", lambda: 2)
    monkeypatch.setattr(processes.multihost_utils, "process_allgather", lambda marks: [marks, marks])
    processes.check_alike({"a": 1, "b": None})
    monkeypatch.setattr(processes.multihost_utils, "process_allgather", gather)
    with pytest.raises(InputError, match="b: the processes differ in it, here it is None"):
        processes.check_alike({"a": 1, "b": None})


def test_a_second_run_resume_or_sweep_is_refused_at_once(quick_config, copy, tmp_path, capsys):
    new, swept = tmp_path / "new", tmp_path / "swept"
    for folder, arguments in ((new, ("run", quick_config, "--out", new)), (copy, ("resume", copy))):
        with writer(folder) as process:
            assert f"{folder}: in use by process {process.pid} since 2" in refused(capsys, *arguments)
    with writer(swept) as process, pytest.raises(InputError, match=f"in use by process {process.pid} since 2"):
        sweep = loaded(tmp_path, trials=8)
        run_sweep(sweep, swept, by_formula(sweep))
    assert not new.exists() and not swept.exists() and (copy / "run.json").is_file()


def test_the_locks_of_runs_go_with_them(quick_config, finished_run):
    assert names(finished_run.parent) == [finished_run.name]


def test_a_run_that_died_in_its_first_moment_can_be_started_again(quick_config, tmp_path, monkeypatch):
    """What it began is in the folder, which must be empty."""
    out = tmp_path / "out"
    out.mkdir()
    (out / ".run-abcd1234.part.json").write_text('{"form')

    class Begun(Exception):
        pass

    def begun(*_):
        raise Begun

    monkeypatch.setattr(FlaxLearner, "begin", begun)
    with pytest.raises(Begun):
        command("run", quick_config, "--out", out)
    assert names(out) == ["run.json"] and names(tmp_path) == ["out"]
