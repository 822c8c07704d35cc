"""The one folder that a run leaves. Every table, plot and report reads such folders and nothing else.

run.json         task, configuration, seed, devices, settings, versions, git commit, hashes of the data
metrics.jsonl    one line per update
tensorboard/     the scalars of the same
checkpoints/     full states (train.checkpoint)
policy.npz       the trained agent (lobjax.policy), at the end; of a run in torch also policy.safetensors
evaluation.json  the agent against the strategies, with episodes.parquet and paths.parquet (lobjax.results), at the end
figures/         learning curves and results, at the end
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from lobjax import locks
from lobjax.cli import note
from lobjax.config import to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.learn import processes
from lobjax.learn.pace import RunConfig
from lobjax.reading import MiB, exists, is_file
from lobjax.results import surroundings
from lobjax.results.stamp import command, data_sources, stamp
from lobjax.results.updates import read_updates
from lobjax.schema import read_shape

RUN = "run.json"
MOST_RUN = 4 * MiB


class About(TypedDict):
    """run.json, as far as it is read again."""

    format: Literal[1]
    task: str
    config: dict[str, Any]
    commit: NotRequired[str]
    versions: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class RunFolder:
    """Where things lie in a run's folder."""

    path: Path

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    def about(self) -> dict[str, Any]:
        """What run.json says; InputError when this is not a run's folder."""
        path = self.path / RUN
        if not exists(path):
            raise InputError(f"{self.path}: no {RUN} there; name the folder of a run")
        return dict(read_shape(About, path, most=MOST_RUN, advice="restore it, or start again"))

    def lines(self) -> Iterator[dict[str, Any]]:
        """The metrics of each update, in order; a line that was not finished ends them. InputError as `read_updates`."""
        return read_updates(self.metrics) if exists(self.metrics) else iter(())

    def cut_back(self, update: int) -> None:
        """Drop the metrics of what comes after `update` updates: it will be played again."""
        with whole_file(self.metrics) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.lines() if line["update"] <= update)

    def check_places(self) -> None:
        """InputError where something stands in the way of what a run writes; better found before training than after."""
        for path in (self.tensorboard, self.checkpoints, self.figures):
            if exists(path) and not path.is_dir():
                raise InputError(f"{path}: is not a folder; remove it")
        for name in (RUN, "metrics.jsonl", "policy.npz", "evaluation.json", "episodes.parquet", "paths.parquet"):
            if exists(self.path / name) and not is_file(self.path / name):
                raise InputError(f"{self.path / name}: is not a file; remove it")


def create(
    path: Path, config: RunConfig, env: Any, more: Mapping[str, Any] | None = None, made_by: str | None = None
) -> RunFolder:
    """Start a folder for a new run; InputError when something is there already.

    `more` is added to run.json, mappings key by key; `made_by` is how to make it again, by default this process's command line.
    """
    if not locks.is_free(path):
        raise InputError(f"{path}: not an empty folder; choose another --out, or `python -m train resume {path}`")
    about: dict[str, Any] = {
        "format": 1,
        "task": env.name,
        "seed": config.seed,
        "config": to_dict(config),
        "devices": config.devices,
        "engine": getattr(getattr(env, "engine", None), "engine", None),
        **stamp(),
        "command": made_by or command("python -m train"),
        "data": data_sources(*config.flows),
    }
    for name, value in (more or {}).items():
        about[name] = about[name] | value if isinstance(value, dict) and name in about else value
    with whole_file(path / RUN) as temporary:
        temporary.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return RunFolder(path)


def check_surroundings(about: Mapping[str, Any], where: Path) -> None:
    """InputError where a setting that changes what is computed is not as `about` (a stamp) says; what else changed is said."""
    surroundings.check_same(about.get("settings"), where)
    if processes.first():
        say_what_changed(about, where)


def say_what_changed(about: Mapping[str, Any], where: Path) -> None:
    """A line on standard error where versions, devices or compiler flags are not as `about` (a stamp) says."""
    if "settings" not in about:
        note(f"{where}: is of an earlier version and records no settings; the defaults are taken for them")
    if changed := surroundings.what_changed(about, stamp()):
        note(f"{where}: {'; '.join(changed)}: numbers from here on may differ in their last digits")
