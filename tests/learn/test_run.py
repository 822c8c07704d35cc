"""Runs as a user starts them: what they leave, and that a killed one ends as if it never had been."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from lobjax.errors import InputError
from lobjax.learn import runner
from lobjax.learn.runfolder import RunFolder
from tests.learn.conftest import command
from tests.learn.probes import TASKS
from train.__main__ import main


def digest(capsys, *arguments):
    capsys.readouterr()
    command("digest", *arguments)
    return capsys.readouterr().out.strip()


def lines_without_clock(folder):
    return [{k: v for k, v in line.items() if not k.startswith("time/")} for line in RunFolder(folder).lines()]


def test_a_run_leaves_one_folder(finished_run):
    about = json.loads((finished_run / "run.json").read_text())
    assert about["task"] == "simplex" and about["seed"] == 7 and about["config"]["seed"] == 7
    assert about["config"]["algorithm"]["learning_rate"] == 3e-3 and about["versions"]["jax"]
    lines = lines_without_clock(finished_run)
    assert [line["update"] for line in lines] == list(range(1, 61))
    assert lines[-1]["step"] == 2880 and lines[-1]["episode/count"] == 16
    assert len(lines[-1]["action/mean"]) == 3
    names = sorted(p.name for p in (finished_run / "checkpoints").iterdir())
    assert names == [f"{n:08d}" for n in range(4, 61, 4)]
    assert (finished_run / "figures" / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert list((finished_run / "tensorboard").iterdir())
    assert (finished_run / "policy.npz").exists()


def test_a_killed_run_ends_bit_equal_to_one_that_was_not(quick_config, finished_run, tmp_path, capsys):
    folder = tmp_path / "killed"
    arguments = ["run", str(quick_config), "--out", str(folder), "--seed", "7"]
    process = subprocess.Popen([sys.executable, "-m", "tests.learn.probes", *arguments], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not (folder / "checkpoints" / "00000012").exists():
        assert process.poll() is None and time.monotonic() < deadline, "ended, or hung, before its third checkpoint"
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "policy.npz").exists() and len(lines_without_clock(folder)) < 60, "it was killed too late"
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"update": 99, "torn')
    (folder / "checkpoints" / "00000059").mkdir()  # never finished
    command("resume", folder)
    assert digest(capsys, folder) == digest(capsys, finished_run)
    assert lines_without_clock(folder) == lines_without_clock(finished_run)
    assert (folder / "policy.npz").read_bytes() == (finished_run / "policy.npz").read_bytes()


@pytest.mark.slow
def test_a_run_without_a_checkpoint_starts_again(finished_run, tmp_path, capsys):
    folder = tmp_path / "early"
    folder.mkdir()
    shutil.copy(finished_run / "run.json", folder)
    command("resume", folder)
    assert digest(capsys, folder) == digest(capsys, finished_run)


def test_a_finished_run_resumes_to_itself(finished_run, tmp_path, capsys):
    folder = tmp_path / "again"
    shutil.copytree(finished_run, folder)
    command("resume", folder)
    assert digest(capsys, folder) == digest(capsys, finished_run)
    assert (folder / "metrics.jsonl").read_text() == (finished_run / "metrics.jsonl").read_text()


def test_a_number_that_is_not_finite_stops_the_run(quick_config, tmp_path, capsys):
    out = tmp_path / "broken"
    with pytest.raises(SystemExit) as stopped:
        command("run", quick_config, "--out", out, "--set", "env.probe=broken", "rollout_length=8", "net={kind: mlp}")
    assert stopped.value.code == 1
    assert "update 2 (step 128): 'reward' is not finite" in capsys.readouterr().err
    assert [line["update"] for line in RunFolder(out).lines()] == [1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["n_env=8"], "unknown key 'n_env'; did you mean 'n_envs'?"),
        (["algorithm.epoch=2"], "unknown key 'epoch'; did you mean 'epochs'?"),
        (["algorithm.kind=ppp"], "'ppp' is not known; did you mean 'ppo'?"),
        (
            ["algorithm.optimiser={kind: adm}"],
            "config.algorithm.optimiser.kind: 'adm' is not known; did you mean 'adam'?",
        ),
        (["algorithm.optimiser={kind: sgd, momentum: 1}"], "momentum: 1 is out of range"),
        (["keep_best={metric: episode/retrun}"], "no metric 'episode/retrun'; did you mean 'episode/return'?"),
        (["keep_best={better: higher}"], "config.keep_best.better: 'higher' is not allowed"),
        (["keep=0"], "keep: 0 is out of range"),
        (["sinks=[mlflo]"], "config.sinks[0]: 'mlflo' is not allowed; did you mean 'mlflow'?"),
        (["sinks=[wandb, wandb]"], "one is named twice"),
        (["algorithm={kind: actor_critic, clip: 0.1}"], "config.algorithm: unknown key 'clip'"),
        (["algorithm={kind: actor_critic, discount: 1.5}"], "config.algorithm.discount: 1.5 is out of range"),
        (["net.kind=lstm"], "'lstm' is not known"),
        (["n_envs=many"], "expected a whole number, 1 to 1,048,576; found str 'many'"),
        (["n_envs=9"], "n_envs 9 does not divide into 1 devices x 2 minibatches; make it a multiple of 2"),
        (["devices=4"], "config.devices: 4 wanted, 1 cpu found"),
        (["total_steps=10"], "less than one update of 48 steps"),
        (["algorithm.discount=1.5"], "discount: 1.5 is out of range"),
        (["net.heads=3"], "width 8 does not divide into 3 heads"),
        (["net={kind: transformer, width: 16, heads: 2, precision: fp8}"], "config.net.precision: fp8 needs a GPU"),
        (["head={kind: categoricals}"], "no head of kind 'categoricals' acts in Simplex(n=3)"),
        (["head={kind: logistic_normal, initial_mean: [1]}"], "initial_mean has 1 numbers; the action needs 2"),
        (["env.probe=simplx"], "did you mean 'simplex'?"),
        (["env.prob=simplex"], "unknown key 'prob'; did you mean 'probe'?"),
        (["seed"], "expected key.path=value"),
    ],
)
def test_bad_configurations_end_with_one_line(quick_config, tmp_path, capsys, settings, message):
    with pytest.raises(SystemExit) as stopped:
        command("run", quick_config, "--out", tmp_path / "out", "--set", *settings)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_run_that_is_named_is_refused(finished_run, tmp_path, capsys):
    """Of the same task and sizes, and so a state that would fit."""
    other = tmp_path / "other"
    shutil.copytree(finished_run, other)
    about = json.loads((other / "run.json").read_text())
    about["config"]["seed"] = 8
    (other / "run.json").write_text(json.dumps(about))
    with pytest.raises(SystemExit) as stopped:
        command("resume", other, "--checkpoint", finished_run / "checkpoints" / "00000012")
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "of another run (its seed is 7, here 8)" in error and error.count("\n") == 1
    assert (other / "checkpoints" / "00000060").exists(), "nothing was cut back"


@pytest.mark.parametrize(("mean", "warned"), [("[9, 0]", True), ("[0, 0]", False)])
def test_a_policy_that_does_nothing_is_warned_of_once(quick_config, tmp_path, capsys, mean, warned):
    """Its head begins at the part of the simplex that waits, or in the middle."""

    def make(config):
        probe = TASKS.make(config)
        object.__setattr__(probe, "idle", 0)
        return probe

    head = f"head={{kind: logistic_normal, initial_mean: {mean}}}"
    arguments = ["run", quick_config, "--out", tmp_path / "out", "--set", "total_steps=480", head]
    main([str(a) for a in arguments], tasks=TASKS._replace(make=make))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]
    assert len(said) == warned and all("the policy has come to do nothing" in line for line in said)


def test_every_update_says_where_its_time_went(finished_run):
    lines = list(RunFolder(finished_run).lines())
    assert all(line["time/update_seconds"] > 0 and line["time/host_seconds"] >= 0 for line in lines)
    saved = [line["update"] for line in lines if line["time/checkpoint_seconds"] > 0]
    assert saved == list(range(5, 60, 4)), "in the line after the checkpoint"


def test_folders_that_do_not_serve_are_refused(quick_config, finished_run, tmp_path):
    with pytest.raises(InputError, match="not an empty folder"):
        runner.runfolder.create(finished_run, None, None)
    with pytest.raises(InputError, match=r"no run\.json there"):
        runner.resume(tmp_path, TASKS)
    for arguments in (["digest", tmp_path], ["run", quick_config, "--out", finished_run]):
        with pytest.raises(SystemExit) as stopped:
            command(*arguments)
        assert stopped.value.code == 2


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        command("--help")
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("run", "resume", "digest"))
