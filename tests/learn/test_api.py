"""Training from Python: with a folder or in memory, from a name, a file or a mapping; what comes back, and what is refused."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
import yaml

import lobjax
from lobjax import packaged
from lobjax.errors import InputError
from lobjax.learn import NotFinite, load_config, load_run, make_train, progress, resume, train
from tests.compiling import quick_jit
from tests.learn.conftest import QUICK
from tests.learn.probes import TASKS, make

SHORT = ("total_steps=480", "seed=7")


@pytest.fixture(scope="module")
def config():
    return load_config(yaml.safe_load(QUICK), *SHORT, tasks=TASKS)


@pytest.fixture(scope="module")
def in_memory(config):
    return train(config, tasks=TASKS, progress=False)


def without_clock(frame):
    return frame.drop([name for name in frame.columns if name.startswith("time/")])


def test_a_folder_holds_what_memory_held(config, in_memory, tmp_path, capsys):
    out = tmp_path / "run"
    run = train(config, out, tasks=TASKS)
    said = capsys.readouterr().err
    assert "train: done" in said and "market engine" not in said
    assert run.folder == out and in_memory.folder is None and run.config == in_memory.config
    assert without_clock(run.metrics).equals(without_clock(in_memory.metrics)) and len(run.metrics) == 10
    assert jax.tree.all(jax.tree.map(np.array_equal, run.policy.params, in_memory.policy.params))
    assert json.loads((out / "run.json").read_text())["command"] == "lobjax.learn.train"
    again = load_run(out, tasks=TASKS)
    assert again.config == config and again.metrics.equals(run.metrics) and again.evaluation is None
    resumed = resume(out, tasks=TASKS, progress=False)
    assert resumed.metrics.equals(run.metrics) and capsys.readouterr() == ("", "")


def test_nothing_is_said_where_nothing_is_to_be_said(in_memory, capsys, config):
    train(replace(config, total_steps=48), tasks=TASKS, progress=False)
    assert capsys.readouterr() == ("", "") and not progress.is_quiet()


def test_a_curve_leaves_out_updates_in_which_no_episode_ended(in_memory):
    steps, returns = in_memory.curve("episode/return")
    assert steps.tolist() == [48 * k for k in range(1, 11)] and np.isfinite(returns).all()
    with pytest.raises(InputError, match="no 'episode/retrun'; did you mean 'episode/return'"):
        in_memory.curve("episode/retrun")


def test_a_run_as_one_function_ends_as_the_loop_does_and_maps_over_seeds(config, in_memory):
    whole = quick_jit(jax.vmap(make_train(config, make(config.env))))
    state, metrics = whole(jax.vmap(jax.random.key)(np.array([7, 8])))
    assert metrics["episode/return"].shape == (2, 10) and state.shared.update.tolist() == [10, 10]
    np.testing.assert_allclose(metrics["episode/return"][0], in_memory.metrics["episode/return"], atol=1e-5)
    assert np.abs(metrics["episode/return"][1] - metrics["episode/return"][0]).max() > 1e-3
    for a, b in zip(jax.tree.leaves(state.shared.params), jax.tree.leaves(in_memory.policy.params), strict=True):
        np.testing.assert_allclose(a[0], b, atol=1e-4)


def test_a_configuration_by_name_is_the_file():
    assert load_config("smoke") == load_config(packaged.FOLDER / "train" / "smoke.yaml")
    assert load_config("smoke", "n_envs=32", "net={kind: gru}").net.kind == "gru"
    assert {"smoke", "execution", "market_making"} <= set(packaged.names("train"))
    with pytest.raises(
        InputError, match=r"smok: neither a file nor the name of a configuration; did you mean 'smoke'\?"
    ):
        load_config("smok")
    with pytest.raises(InputError, match=r"gone\.yaml: no such configuration file"):
        load_config("gone.yaml")


def test_a_file_comes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smoke").write_text("{env: {}, n_envs: 64}")
    assert load_config("smoke").n_envs == 64


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("keep=3", "config.keep: needs a folder"),
        ("keep_best={metric: loss/value}", "config.keep_best: needs a folder"),
        ("sinks=[mlflow]", "config.sinks: needs a folder"),
    ],
)
def test_what_needs_a_folder_is_refused_without_one(assignment, said):
    with pytest.raises(InputError, match=said):
        train(load_config(yaml.safe_load(QUICK), assignment, tasks=TASKS), tasks=TASKS)


def test_a_folder_that_is_not_empty_is_refused(config, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not an empty folder"):
        train(config, tmp_path, tasks=TASKS)


def test_a_number_that_is_not_finite_is_raised(config):
    with pytest.raises(NotFinite, match="'reward' is not finite"):
        broken = load_config(yaml.safe_load(QUICK), "env.probe=broken", "net={kind: mlp}", tasks=TASKS)
        train(broken, tasks=TASKS, progress=False)


def test_the_lazy_face_has_it():
    assert lobjax.train is train and lobjax.learn.load_config is load_config
    assert set(lobjax.learn.__all__) == set(dir(lobjax.learn)) and all(
        hasattr(lobjax.learn, n) for n in dir(lobjax.learn)
    )


def test_a_notebook_has_bars_where_widgets_are_installed(monkeypatch):
    """That they are drawn there, tests/test_wheel.py shows in a kernel."""
    assert not progress._in_notebook()
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr(progress, "find_spec", lambda name: name == "ipywidgets")
    assert progress._in_notebook()
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    assert not progress._in_notebook()
