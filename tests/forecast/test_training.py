"""The ensemble: it learns, members differ, it stops early, and goes on from a state as if it never had stopped; a run as a folder."""

import dataclasses
import json

import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.forecast import scores, table
from lobjax.forecast.features import DayStream
from lobjax.forecast.forecaster import load_forecaster
from lobjax.forecast.nets import CNNLSTMConfig
from lobjax.forecast.training import Ensemble, EnsembleConfig, windows
from lobjax.learn import checkpoint, forecasting
from tests.forecast.days import made_up
from train.__main__ import main

NET = CNNLSTMConfig(channels=(4,), width=8, heads=2, dropout=0.1)
SMALL = EnsembleConfig(
    net=NET, members=2, window=6, batch=32, epochs=20, patience=4, learning_rate=0.02, compile="quick", seed=3
)


def day():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(900, 3))
    y = 1 + np.sign(np.roll(z[:, 0], 2)).astype(int) * (np.abs(np.roll(z[:, 1], 1)) > 0.5)  # of frames before
    return z, y


@pytest.fixture(scope="module")
def ensemble():
    return Ensemble(SMALL, *day(), slice(5, 600), slice(610, 760))


@pytest.fixture(scope="module")
def states(ensemble):
    """Of every epoch, from the beginning on."""
    found, reports = [ensemble.begin()], []
    while not ensemble.done(found[-1]):
        state, report = ensemble.epoch(found[-1])
        found.append(state)
        reports.append(report)
    return found, reports


def test_it_learns_from_the_frames_before(ensemble, states):
    y, test = day()[1], slice(770, 900)
    members = ensemble.probabilities(states[0][-1].members.best, test)
    assert members.shape == (2, 130, 3) and not np.allclose(members[0], members[1])
    np.testing.assert_allclose(members.sum(-1), 1)
    found = scores.scores(members.mean(0), y[test])
    assert found["accuracy"] > 0.75 and found["nll"] < 0.75


def test_the_best_epoch_of_each_member_is_kept(ensemble, states):
    y, (found, reports) = day()[1], states
    p = ensemble.probabilities(found[-1].members.best, ensemble.validation)
    nll = -np.log(p[:, np.arange(150), y[ensemble.validation]]).mean(1)
    np.testing.assert_allclose(nll, found[-1].members.best_nll, rtol=1e-4)
    np.testing.assert_allclose(nll, np.min([r.validation for r in reports], axis=0), rtol=1e-4)


def test_a_member_that_has_stopped_is_changed_no_more(ensemble, states):
    stopped = states[0][1]._replace(
        members=states[0][1].members._replace(waited=np.array([4, 0], np.int32), best_nll=np.full(2, 9.0, np.float32))
    )
    after = ensemble.epoch(stopped)[0].members
    assert float(after.best_nll[0]) == 9 and float(after.best_nll[1]) < 9 and after.waited.tolist() == [5, 0]
    assert not ensemble.done(stopped)
    assert ensemble.done(stopped._replace(members=stopped.members._replace(waited=np.array([4, 5]))))


def test_going_on_from_a_checkpoint_ends_at_the_same_bits(ensemble, states, tmp_path):
    found = states[0]
    saved = checkpoint.save(tmp_path, found[2], task="forecast", config={})
    state = checkpoint.restore(checkpoint.find(saved.path), found[0], "forecast")
    while not ensemble.done(state):
        state = ensemble.epoch(state)[0]
    assert checkpoint.digest(state) == checkpoint.digest(found[-1]) != checkpoint.digest(found[2])


def test_windows_are_of_the_samples_up_to_theirs():
    z = np.arange(20.0).reshape(10, 2)
    np.testing.assert_array_equal(windows(z, np.array([3, 9]), 3), [z[1:4], z[7:10]])


def test_what_has_no_room_or_is_not_finite_is_refused(ensemble, states):
    z, y = day()
    with pytest.raises(InputError, match="training part of samples 4 to 600 has no room for windows of 6"):
        Ensemble(SMALL, z, y, slice(4, 600), slice(610, 760))
    with pytest.raises(ValueError, match="window: 0 is out of range"):
        dataclasses.replace(SMALL, window=0)
    state = states[0][1]
    broken = {
        **state.members.params,
        "Dense_0": {"kernel": np.full((2, 8, 3), np.nan, np.float32), "bias": state.members.params["Dense_0"]["bias"]},
    }
    with pytest.raises(FloatingPointError, match="epoch 2: an NLL is not finite"):
        ensemble.epoch(state._replace(members=state.members._replace(params=broken)))


@pytest.fixture(scope="module")
def recorded():
    rows = made_up(rows=6000, gaps=False)
    return DayStream(5).push(rows)


@pytest.fixture
def day_of(monkeypatch, recorded):
    """A recorded day without its file: reading days is tested elsewhere."""
    monkeypatch.setattr(forecasting, "day_features", lambda path, **rest: (*recorded, np.ones(78, bool)))


CONFIG = """
data: made-up
horizon: 3
ensemble:
  net: {kind: cnn_lstm, channels: [4], width: 8, heads: 2}
  members: 2
  window: 6
  epochs: 3
  compile: quick
"""


def test_a_run_is_a_folder_and_resumes_to_the_bit(day_of, recorded, tmp_path, capsys, monkeypatch):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    main(["forecast", str(config), "--out", str(whole)])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said == json.loads((whole / "scores.json").read_text()) and 0.8 < said["coverage"] <= 1
    assert said["total"] == pytest.approx(said["aleatoric"] + said["epistemic"]) and said["epistemic"] > 0

    epoch, done = Ensemble.epoch, []

    def killed(self, state):
        if len(done) == 2:
            raise RuntimeError("killed")
        done.append(1)
        return epoch(self, state)

    monkeypatch.setattr(Ensemble, "epoch", killed)
    with pytest.raises(RuntimeError, match="killed"):
        main(["forecast", str(config), "--out", str(cut)])
    monkeypatch.setattr(Ensemble, "epoch", epoch)
    main(["forecast", str(config), "--out", str(cut), "--resume"])
    ends = [checkpoint.complete(folder / "checkpoints")[-1] for folder in (whole, cut)]
    assert [end.update for end in ends] == [3, 3] and ends[0].digest == ends[1].digest
    assert len((cut / "metrics.jsonl").read_text().splitlines()) == 3
    assert (cut / "scores.json").read_text() == (whole / "scores.json").read_text()

    samples, features = recorded
    forecaster = load_forecaster(whole / "forecaster.npz")
    test = table.split(samples.mid, 3).test
    p = forecaster(features)[test.start - 5 : test.stop - 5]
    y = table.split(samples.mid, 3).classes[test].astype(int)
    assert scores.scores(p, y)["nll"] == pytest.approx(said["nll"], rel=1e-5)

    capsys.readouterr()
    for words, wrong in (
        (["--out", str(whole)], "not an empty folder"),
        (["--out", str(whole), "--resume", "--set", "horizon=5"], "a run of another configuration"),
        (["--out", str(tmp_path / "new"), "--set", "ensemble.net.kind=cnn_lsm"], "did you mean 'cnn_lstm'"),
        (["--out", str(tmp_path / "new"), "--set", "ensemble.window=500"], "no room for windows of 500"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["forecast", str(config), *words])
        shown = capsys.readouterr()
        assert stop.value.code == 2 and wrong in shown.err and not shown.out
    assert not (tmp_path / "new").exists()


def test_the_table_has_networks_beside_baselines(recorded):
    samples, features = recorded
    config = dataclasses.replace(SMALL, epochs=1)
    told = []
    found = table.scored(
        samples, 3, ["majority"], {"ofi": features[:, :3], "all": features}, networks={"cnn_lstm": config},
        tell=lambda *words: told.append(words),
    )["models"]  # fmt: skip
    assert found["majority"].keys() < found["cnn_lstm"].keys() and [told[0][0], told[0][1]] == ["cnn_lstm", 1]
    assert found["cnn_lstm"]["uncalibrated"]["nll"] > 0 and len(told) == 1
