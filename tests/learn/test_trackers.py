"""MLflow and W&B as sinks: offline, below the run's folder; one line where the package is missing."""

import json
import sys

import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.learn import trackers
from lobjax.learn.backend import Report
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Sinks, line_of
from tests.learn.runs import configuration

REPORTS = [
    Report({"episode/return": np.float32(x), "loss/value": np.float32(1)}, {"action/mean": np.ones(3)}, [])
    for x in (1, 2, 4)
]


def write(folder, name, reports, step=0):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(
        json.dumps({"format": 1, "task": "probe", "config": {"seed": 3, "net": {"kind": "mlp"}}})
    )
    with Sinks(RunFolder(folder), step, configuration("constant", sinks=(name,))) as sinks:
        for update, report in enumerate(reports, step + 1):
            sinks.write(line_of(update, 10 * update, report, {"time/update_seconds": 0.5}))


@pytest.mark.filterwarnings("default")  # of the package itself
def test_mlflow_holds_parameters_and_metrics_and_goes_on_in_one_run(tmp_path):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    folder = tmp_path / "run"
    write(folder, "mlflow", REPORTS[:2])
    write(folder, "mlflow", REPORTS[2:], step=2)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("lobjax").experiment_id])
    assert run.info.status == "FINISHED" and run.info.run_name == "run"
    assert run.data.params == {"seed": "3", "net.kind": "mlp"}
    history = client.get_metric_history(run.info.run_id, "episode/return")
    assert [(point.step, point.value) for point in history] == [(10, 1), (20, 2), (30, 4)]
    assert client.get_metric_history(run.info.run_id, "time/update_seconds")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_wandb_writes_a_run_without_a_network(tmp_path):
    pytest.importorskip("wandb")
    write(tmp_path / "run", "wandb", REPORTS)
    (written,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"episode/return" in written.read_bytes()


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch):
    for name, extra in {"mlflow": "track", "wandb": "wandb"}.items():
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setattr(trackers, "find_spec", lambda name: None)
        with pytest.raises(InputError, match=rf"{name} is not installed; run: pip install 'lobjax\[{extra}\]'"):
            trackers.check((name,))
    trackers.check(())
