"""Trackers of experiments as further sinks: MLflow in a SQLite file of the run's folder, and W&B without a network.

Both are optional packages and write below the run's folder, so that a run is still one folder:
`mlflow ui --backend-store-uri sqlite:///DIR/mlflow.db`; `wandb sync DIR/wandb/offline-run-*`.
A run that is resumed goes on in the same MLflow run; W&B cannot do that offline, so it gets one more run of the same group.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from lobjax.errors import InputError

EXTRAS = {"mlflow": "track", "wandb": "wandb"}


class Tracker(Protocol):
    """Where scalars go beside the run's own files."""

    def write(self, step: int, scalars: Mapping[str, float]) -> None: ...

    def close(self, ended: bool) -> None:
        """`ended` is false after an error."""
        ...


def check(names: Sequence[str]) -> None:
    """InputError when the package of a tracker is not installed."""
    for name in names:
        if find_spec(name) is None:
            raise InputError(f"config.sinks: {name} is not installed; run: pip install 'lobjax[{EXTRAS[name]}]'")


def open_trackers(names: Sequence[str], folder: Path, config: Mapping[str, Any]) -> list[Tracker]:
    """The trackers by name, writing below `folder`; `config` is the run's configuration as run.json has it."""
    makers: dict[str, Callable[[Path, dict[str, Any]], Tracker]] = {"mlflow": _MLflow, "wandb": _WandB}
    return [makers[name](folder, _flat(config)) for name in names]


class _MLflow:
    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self._metric = Metric
        self._client = MlflowClient(f"sqlite:///{(folder / 'mlflow.db').absolute()}")
        found = self._client.get_experiment_by_name("lobjax")
        artifacts = (folder / "mlflow").absolute().as_uri()
        experiment = found.experiment_id if found else self._client.create_experiment("lobjax", artifacts)
        before = self._client.search_runs([experiment], order_by=["attributes.start_time ASC"], max_results=1)
        if before:
            self._id = before[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return
        self._id = self._client.create_run(experiment, run_name=folder.name).info.run_id
        self._client.log_batch(self._id, params=[Param(k, str(v)[:500]) for k, v in config.items()])

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        now = int(1000 * time.time())
        self._client.log_batch(self._id, metrics=[self._metric(k, v, now, step) for k, v in scalars.items()])

    def close(self, ended: bool) -> None:
        self._client.set_terminated(self._id, "FINISHED" if ended else "FAILED")


class _WandB:
    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        import wandb

        quiet = wandb.Settings(silent=True, console="off", disable_git=True)
        name = folder.absolute().name
        self._run = wandb.init(
            project="lobjax", name=name, group=name, dir=folder, mode="offline", config=config, settings=quiet
        )

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        self._run.log(dict(scalars), step=step)

    def close(self, ended: bool) -> None:
        self._run.finish(exit_code=0 if ended else 1)


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(config, Mapping):
        return {prefix: config}
    return {k: v for name, x in config.items() for k, v in _flat(x, f"{prefix}.{name}".lstrip(".")).items()}
