"""`python -m train torch`: it leaves a run's folder, resumes to the bit, shares gradients over processes, and refuses what it cannot do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import torch
import yaml

from lobjax.errors import InputError
from lobjax.learn import checkpoint, load_config, train
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.torch import Torch
from lobjax.learn.torch import settings as torch_settings
from lobjax.policy import load_policy
from tests.compiling import FLAGS
from tests.holding import writer
from tests.learn.conftest import command
from tests.learn.probes import TASKS
from train.__main__ import commands

QUICK = """
env: {probe: simplex}
net: {kind: transformer, layers: 1, width: 16, heads: 2, window: 4}
algorithm: {learning_rate: 3e-3, epochs: 1, minibatches: 2}
n_envs: 32
rollout_length: 4
total_steps: 512
checkpoint_every: 2
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "quick.yaml"
    path.write_text(QUICK)
    return path


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    """The folder of a run of four updates that was never stopped; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    command("torch", config, "--out", folder, "--seed", 5, "--device", "cpu")
    return folder


def arrays(folder):
    return checkpoint.arrays_of(checkpoint.complete(RunFolder(folder).checkpoints)[-1])


def stop_after(folder: Path, copy: Path, update: int) -> Path:
    """A copy of a run's folder as a kill after `update` updates would have left it."""
    import shutil

    shutil.copytree(folder, copy)
    checkpoint.cut_back(copy / "checkpoints", update)
    (copy / "policy.npz").unlink()
    return copy


def test_a_run_leaves_its_folder(finished):
    lines = list(RunFolder(finished).lines())
    assert [line["update"] for line in lines] == [1, 2, 3, 4] and "policy/kl" in lines[0]
    assert load_policy(finished).config.task == "simplex"
    assert (finished / "policy.safetensors").is_file() and (finished / "figures").is_dir()
    about = json.loads((finished / "run.json").read_text())
    assert about["torch"] == {"computed_fp8": False, "recipe": "current", "compile": False} and about["processes"] == 1


def test_a_run_that_was_stopped_ends_to_the_bit_as_one_that_was_not(config, tmp_path):
    """With all that a state can hold: scales of FP8 by their history, a memory in bfloat16, moments, the market's keys, returns."""
    settings = ["--set", "net.precision=fp8", "total_steps=512", "checkpoint_every=1", "normalise_rewards=true"]
    options = ["--computed-fp8", "--recipe", "delayed", "--device", "cpu"]
    command("torch", config, "--out", tmp_path / "whole", *settings, *options)
    copy = stop_after(tmp_path / "whole", tmp_path / "stopped", 1)
    command("torch", config, "--out", copy, "--resume", *settings, *options)
    assert (copy / "policy.npz").read_bytes() == (tmp_path / "whole" / "policy.npz").read_bytes()
    whole, resumed = arrays(tmp_path / "whole"), arrays(copy)
    assert whole.keys() == resumed.keys() and all(whole[name].tobytes() == resumed[name].tobytes() for name in whole)
    scales = [x for name, x in whole.items() if name.endswith("gradient_scale")]
    assert len(scales) == 4 and all(x > 1 for x in scales)
    assert any(name.startswith("local.cache.keys") for name in whole)
    assert whole["shared.moments.net.actor.weight.first"].any()
    assert whole["shared.returns.variance"] > 0 and whole["local.returned"].any()

    lines = [
        [{k: v for k, v in x.items() if not k.startswith("time/")} for x in RunFolder(f).lines()]
        for f in (tmp_path / "whole", copy)
    ]
    assert lines[0] == lines[1] and len(lines[0]) == 4


@pytest.mark.filterwarnings("default")  # of mlflow itself
def test_the_loop_is_the_one_that_flax_has(config, tmp_path, capsys):
    """What it keeps, which checkpoint is the best, where metrics go, what time went where."""
    pytest.importorskip("mlflow")
    out = tmp_path / "run"
    more = ["checkpoint_every=1", "keep=1", "keep_best={metric: loss/value, better: smaller}", "sinks=[mlflow]"]
    command("torch", config, "--out", out, "--device", "cpu", "--set", *more)
    lines = list(RunFolder(out).lines())
    best = min(lines, key=lambda line: line["loss/value"])["update"]
    assert json.loads((out / "checkpoints" / "best.json").read_text())["checkpoint"] == f"{best:08d}"
    kept = {path.name for path in (out / "checkpoints").glob("0*")}
    assert kept == {f"{best:08d}", "00000004"} and (out / "mlflow.db").is_file()
    assert [line["update"] for line in lines if line["time/checkpoint_seconds"] > 0] == [2, 3, 4]
    for resume in (["resume", out], ["resume", out, "--devices", 1]):
        with pytest.raises(SystemExit):
            command(*resume)
        assert "a run in torch; go on with `python -m train torch" in capsys.readouterr().err


def test_it_trains_from_python_in_memory():
    config = load_config(yaml.safe_load(QUICK), "total_steps=256", tasks=TASKS)
    run = train(config, tasks=TASKS, backend=Torch(device="cpu"), progress=False)
    assert run.folder is None and len(run.metrics) == 2 and run.policy.config.net.kind == "transformer"
    with pytest.raises(InputError, match="phases: timed in JAX alone"):
        train(config, tasks=TASKS, backend=Torch(device="cpu"), progress=False, phases=True)


def launch(*arguments: object, processes: int) -> None:
    """The command over the probes under torchrun, on this machine's loopback."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1", "XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu", "GLOO_SOCKET_IFNAME": "lo"
    }  # fmt: skip
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--standalone"]
    done = subprocess.run(
        [*run, "-m", "tests.learn.probes", *map(str, arguments)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_processes_equal_one_on_the_whole_batch(finished, config, tmp_path):
    launch("torch", config, "--out", tmp_path / "two", "--seed", 5, "--device", "cpu", processes=2)
    alone, shared = arrays(finished), arrays(tmp_path / "two")
    assert alone.keys() == shared.keys()
    for name, array in alone.items():
        assert array.shape == shared[name].shape, name
        if array.dtype.kind in "iub":
            assert np.array_equal(array, shared[name]), name  # keys, clocks, masks: the same environments played on
        elif not name.startswith("shared.moments"):
            np.testing.assert_allclose(shared[name], array, atol=2e-4, err_msg=name)
    before = arrays_at(finished, 2)
    moved = max(np.abs(alone[n] - before[n]).max() for n in alone if n.startswith("shared.weights"))
    assert moved > 2e-3, "the weights moved by more than the tolerance"


def arrays_at(folder, update):
    return checkpoint.arrays_of(checkpoint.find(RunFolder(folder).checkpoints / f"{update:08d}"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--set", "net={kind: mlp}"], "torch has no 'mlp'; take 'transformer'"),
        (["--set", "net.precision=fp8", "--device", "cpu"], "choose bfloat16, or --computed-fp8"),
        (
            ["--set", "net.precision=fp8", "n_envs=24", "--computed-fp8"],
            "n_envs is 24; FP8 products need a multiple of 16",
        ),
        (["--set", "net.precision=fp8", "net.width=24"], "width is 24; FP8 products need a multiple of 16"),
        (["--set", "algorithm.optimiser={kind: sgd}"], "torch has Adam with epsilon 1e-05 only"),
        (["--set", "keep_best={metric: loss/valeu}"], "no metric 'loss/valeu'; did you mean 'loss/value'?"),
        (["--set", "devices=2"], "start torch with torchrun --nproc-per-node 2"),
        (["--resume"], "no run.json there"),
    ],
)
def test_what_it_cannot_do_is_one_line_before_anything_is_written(config, tmp_path, capsys, settings, words):
    with pytest.raises(SystemExit) as stopped:
        command("torch", config, "--out", tmp_path / "out", *settings)
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1 and words in said
    assert not (tmp_path / "out").exists()


def test_another_configuration_does_not_resume(finished, config):
    with pytest.raises(InputError, match="a run of another configuration"):
        commands(TASKS)["torch"](config, finished, seed=6, resume=True)


def test_other_settings_of_torch_do_not_resume(finished, config, tmp_path, capsys):
    about = json.loads((finished / "run.json").read_text())
    assert about["settings"]["torch.num_threads"] == torch.get_num_threads() and about["versions"]["torch"]
    copy = stop_after(finished, tmp_path / "copy", 4)
    resume = ["torch", config, "--out", copy, "--resume", "--seed", 5, "--device", "cpu"]
    for name, change, back in (
        ("torch.backends.cuda.matmul.fp32_precision 'ieee', and here it is 'tf32'", "high", "highest"),
        ("torch.backends.mkldnn.matmul.fp32_precision 'ieee', and here it is 'bf16'", "medium", "highest"),
    ):
        torch.set_float32_matmul_precision(change)
        try:
            torch.backends.cuda.matmul.fp32_precision = {"high": "tf32"}.get(change, "ieee")
            with pytest.raises(SystemExit) as stopped:
                command(*resume)
        finally:
            torch.set_float32_matmul_precision(back)
        said = capsys.readouterr().err
        assert stopped.value.code == 2 and said.count("\n") == 1 and name in said
    jax.config.update("jax_threefry_partitionable", False)
    try:
        with pytest.raises(SystemExit):
            command(*resume)
    finally:
        jax.config.update("jax_threefry_partitionable", True)
    assert "jax_threefry_partitionable True, and here it is False" in capsys.readouterr().err
    with writer(copy), pytest.raises(SystemExit):
        command(*resume)
    assert "in use by process" in capsys.readouterr().err


def test_a_run_goes_on_with_the_threads_that_it_began_with(finished, config, tmp_path, capsys):
    copy, threads = stop_after(finished, tmp_path / "copy", 4), torch.get_num_threads()
    about = json.loads((copy / "run.json").read_text())
    about["settings"]["torch.num_threads"] = threads + 1
    (copy / "run.json").write_text(json.dumps(about))
    try:
        command("torch", config, "--out", copy, "--resume", "--seed", 5, "--device", "cpu")
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert f"begun on {threads + 1} threads; torch takes as many, not {threads}" in capsys.readouterr().err


def test_processes_of_one_run_must_be_alike():
    ours = torch_settings.settings()
    assert torch_settings.difference([ours, ours | {"torch.num_threads": 99}]) == ""
    said = torch_settings.difference([ours, ours | {"jax_enable_x64": True}])
    assert said.startswith("jax_enable_x64: is False and True in processes of one run")


def test_without_torch_the_command_names_the_extra(config, tmp_path):
    """Nothing but these commands needs torch: lobjax, the trainer's command and its help import without it."""
    hide = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from tests.learn.probes import main, TASKS\n"
    )
    run = f"main(['torch', {str(config)!r}, '--out', {str(tmp_path / 'out')!r}], tasks=TASKS)"
    done = subprocess.run([sys.executable, "-c", hide + run], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and done.stderr == "error: torch: not installed; pip install -e '.[torch]'\n"
