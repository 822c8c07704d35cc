"""Modules named under `plugins`: imported first, recorded, and in one line where they cannot be."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from backtest.__main__ import main as backtest
from backtest.config import load_config
from lobjax import plugins
from lobjax.errors import InputError
from lobjax.flow import FLOWS
from lobjax.learn.config import config_from
from lobjax.learn.tasks import MARKET
from lobjax.tasks import TASKS
from train.__main__ import main as train

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory of its own; what is imported and registered from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before, modules = [(r, dict(r._entries)) for r in (TASKS, FLOWS)], set(sys.modules)
    yield tmp_path
    for registry, entries in before:
        registry._entries = entries
    for name in set(sys.modules) - modules:
        if name.startswith("own_"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "config.plugins: no module 'own_bad' in"),
        ("import own_absent", "own_bad.py:1 with ModuleNotFoundError: No module named 'own_absent'; mend it"),
        ("x = 1\nraise RuntimeError('a\\nb')", "own_bad.py:2 with RuntimeError"),
        ("def f(:", "own_bad.py:1 with SyntaxError"),
        (
            "from lobjax.tasks import TASKS, register\nimport dataclasses\nregister(dataclasses.replace(TASKS['snapshot']))",
            "config.plugins: own_bad: task 'snapshot' is registered already; choose another name",
        ),
    ],
)
def test_a_module_that_cannot_be_is_told_in_a_line(place, text, said):
    if text is not None:
        (place / "own_bad.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        config_from({"env": {}, "plugins": ["own_bad"]}, MARKET.env_config)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("named", ["own_task", {"a": 1}, [3], ["../own"], ["own_task.py/x"], [""]])
def test_what_is_no_list_of_modules_is_refused(place, named):
    with pytest.raises(InputError, match=r"config\.plugins: "):
        plugins.load_named({"plugins": named})


def test_nothing_is_left_of_a_run_whose_plugin_is_missing(place, capsys):
    (place / "run.yaml").write_text("plugins: [own_absent]\nenv: {task: {kind: one_lot}}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        train(["run", "run.yaml", "--out", "out"])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1 and "no module 'own_absent'" in error
    assert not (place / "out").exists()


def config_again(described):
    return config_from(described, MARKET.env_config)


def backtest_again(described):
    return load_config(None, [], {"env": described["env"], "plugins": described["plugins"]})


@pytest.fixture
def trained(place):
    """A short run on the example's task; what its run.json says of the configuration."""
    (place / "own_task.py").write_text((EXAMPLES / "own_task.py").read_text(encoding="utf-8"), encoding="utf-8")
    described = yaml.safe_load((EXAMPLES / "own_task.yaml").read_text(encoding="utf-8"))
    described |= {"total_steps": 80, "evaluation": {"episodes": 16}}
    described["env"]["market"] |= {"engine": "xla", "max_messages": 32}
    (place / "run.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    train(["run", "run.yaml", "--out", "run"])
    return json.loads((place / "run" / "run.json").read_text(encoding="utf-8"))["config"]


def test_a_task_of_ones_own_is_trained_and_evaluated(place, trained):
    assert trained["plugins"] == ["own_task"] and trained["env"]["task"]["kind"] == "one_lot"
    evaluation = json.loads((place / "run" / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["headline"] == "cost_ticks" and list(evaluation["players"]) == ["agent", "at_once"]
    for read in (config_again, backtest_again):  # by another process: as it goes on, and as it plays the agent
        del TASKS._entries["one_lot"], sys.modules["own_task"]
        assert read(trained).env.task.kind == "one_lot"


@pytest.mark.slow
def test_a_task_of_ones_own_is_backtested_and_reported(place, trained):
    backtest(["run", "--policy", "run", "--out", "report", "--set", "episodes=16", "samples_per_decision=2"])
    page = (place / "report" / "report.html").read_text(encoding="utf-8")
    assert "Buying one lot in a simulated market" in page and "What the lot cost beyond the first mid." in page
    about = json.loads((place / "report" / "run.json").read_text(encoding="utf-8"))
    assert about["backtest"]["plugins"] == ["own_task"]


def test_a_flow_of_ones_own_is_trained_in(place):
    (place / "own_flow.py").write_text((EXAMPLES / "own_flow.py").read_text(encoding="utf-8"), encoding="utf-8")
    described = yaml.safe_load((EXAMPLES / "own_flow.yaml").read_text(encoding="utf-8"))
    described |= {"total_steps": 128, "evaluation": {"episodes": 0}}
    described["env"]["market"] |= {"engine": "xla", "max_messages": 48}
    (place / "run.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    train(["run", "run.yaml", "--out", "run"])
    assert (
        json.loads((place / "run" / "run.json").read_text(encoding="utf-8"))["config"]["env"]["flow"]["kind"]
        == "metronome"
    )
    assert (place / "run" / "policy.npz").is_file()
