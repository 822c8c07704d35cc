"""Bad input: one line that says what is wrong, status 2, and nothing written."""

import os
from pathlib import Path

import pytest
import yaml

from backtest.__main__ import main
from backtest.config import load_config
from lobjax.errors import InputError
from lobjax.tasks import EnvConfig, MarketConfig
from tests.backtest.conftest import small, write_agent, write_config
from tests.holding import writer
from tests.results.recorded import recorded_config, write_day

ROOT = Path(__file__).parents[2]


def refused(capsys, *words) -> str:
    """Run the command; returns the one line that it ends with."""
    with pytest.raises(SystemExit) as exit:
        main([str(word) for word in words])
    assert exit.value.code == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: ") and said.err.count("\n") == 1
    return said.err


def test_a_folder_in_use(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("x")
    assert "not an empty folder" in refused(capsys, "run", write_config(tmp_path), "--out", tmp_path / "out")
    assert (tmp_path / "out" / "kept").read_text() == "x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("strategies=[twop]", "did you mean 'twap'"),
        ("stratgies=[twap]", "did you mean 'strategies'"),
        ("env.market.capcity=64", "did you mean 'capacity'"),
        ("episodes=0", "episodes: 0 is out of range; choose 1 to"),
        ("episodes=many", "expected a whole number"),
        ("strategies=[]", "nobody to play"),
        ("strategies=[twap,twap]", "names one twice"),
        ("seed=-1", "seed: -1 is out of range; choose 0 to 4,294,967,295"),
        ("env.task.step_messages=20", "a backtest goes by the clock"),
    ],
)
def test_bad_settings(tmp_path, capsys, change, said):
    assert said in refused(capsys, "run", write_config(tmp_path), "--out", tmp_path / "out", "--set", change)
    assert not (tmp_path / "out").exists()


def test_a_missing_configuration(tmp_path, capsys):
    assert "no such configuration" in refused(capsys, "run", tmp_path / "none.yaml", "--out", tmp_path / "out")


def test_a_missing_agent(tmp_path, capsys):
    words = ("run", write_config(tmp_path), "--policy", tmp_path / "gone", "--out", tmp_path / "out")
    assert "no saved agent there" in refused(capsys, *words)


def test_an_agent_of_another_task_or_view(tmp_path, capsys, agent):
    making = write_config(tmp_path, small("market_making"))
    said = refused(capsys, "run", making, "--policy", agent, "--out", tmp_path / "out")
    assert "trained for the task 'execution', not 'market_making'" in said
    near = write_config(tmp_path, small(levels=3))
    assert "reads" in refused(capsys, "run", near, "--policy", agent, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_a_configuration_the_agents_own_market_is_played(tmp_path):
    folder = write_agent(tmp_path / "agent", small())
    (folder / "run.json").write_text('{"config": {"env": {"task": {"kind": "execution", "lots": 12}}}}')
    from backtest.players import trained_config

    assert load_config(None, [], trained_config(folder)).env.task.lots == 12
    assert load_config(None, [], trained_config(None)).env == EnvConfig()
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match="give a CONFIG"):
        trained_config(folder)


def test_a_missing_day(tmp_path, capsys):
    config = write_config(tmp_path, recorded_config(tmp_path / "gone.zip"), episodes=None, strategies=["twap"])
    assert "no such file" in refused(capsys, "run", config, "--out", tmp_path / "out")


def test_recorded_windows_must_be_fair(tmp_path, capsys):
    path = write_day(tmp_path)
    config = write_config(tmp_path, recorded_config(path), episodes=None)
    out = ("--out", tmp_path / "out")
    assert "vwap needs a volume profile of other hours" in refused(capsys, "run", config, *out)
    overlapping = ("--set", "strategies=[twap]", "env.flow.start_every_s=5")
    assert "overlap" in refused(capsys, "run", config, *out, *overlapping)
    assert "played once" in refused(capsys, "run", config, *out, "--set", "strategies=[twap]", "episodes=9")
    profile = f"profile={{kind: recorded, path: {path}, from_time: '09:31', until_time: '09:40'}}"
    assert "among those traded" in refused(capsys, "run", config, *out, "--set", profile)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written(tmp_path, capsys):
    tmp_path.chmod(0o500)
    assert "cannot be written" in refused(capsys, "run", "--out", tmp_path / "out")


def test_a_file_in_the_way(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert "choose another --out" in refused(capsys, "run", "--out", tmp_path / "file" / "out")


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch, capsys):
    from backtest import run

    def fail(folder):
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(run, "write_report", fail)
    config = write_config(tmp_path, episodes=4, strategies=["immediate"])
    with pytest.raises(SystemExit):
        main(["run", str(config), "--out", str(tmp_path / "out")])
    assert "No space left" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == [config.name]


def test_a_second_backtest_or_report_is_refused_at_once(tmp_path, capsys):
    with writer(tmp_path / "out") as process:
        said = refused(capsys, "run", write_config(tmp_path), "--out", tmp_path / "out")
        assert f"in use by process {process.pid} since 2" in said
    (tmp_path / "done").mkdir()
    with writer(tmp_path / "done"):
        assert "in use by process" in refused(capsys, "report", tmp_path / "done")
    assert not (tmp_path / "out").exists() and not any((tmp_path / "done").iterdir())


def test_a_report_of_something_else(tmp_path, capsys):
    assert "no run.json" in refused(capsys, "report", tmp_path)
    (tmp_path / "run.json").write_text('{"format": 1}')
    assert "run the backtest again" in refused(capsys, "report", tmp_path)


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "backtest").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_configurations_are_valid(path):
    assert load_config(path, []).env.market == MarketConfig(**yaml.safe_load(path.read_text())["env"]["market"])


@pytest.mark.parametrize(("ours", "training"), [("simulated", "execution"), ("market_making", "market_making")])
def test_simulated_markets_are_those_of_training(ours, training):
    """So that an agent that a shipped configuration trained can be played as it was trained."""
    env = yaml.safe_load((ROOT / "configs" / "train" / f"{training}.yaml").read_text())["env"]
    assert (
        load_config(ROOT / "configs" / "backtest" / f"{ours}.yaml", []).env == load_config(None, [], {"env": env}).env
    )
