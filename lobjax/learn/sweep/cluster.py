"""The programs of a sweep on a Ray cluster, each a trial of Ray Tune (extra `ray`); the table is the same as without.

Workers need this package and the configuration's data at the same paths. A worker that dies is replaced, and its program played again.
"""

import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from lobjax.cli import note
from lobjax.errors import InputError
from lobjax.learn.sweep.config import Sweep
from lobjax.learn.sweep.play import Job, JobResult, JobRunner
from lobjax.learn.sweep.propose import Past
from lobjax.learn.sweep.run import Done, Execute, play_job
from lobjax.results import surroundings
from lobjax.results.stamp import stamp

LOCAL = "local"
RETRIES = 3  # of a program whose worker died
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # paths in configurations are from where the sweep was started
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the sweep's table is the record
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def on_ray(sweep: Sweep, address: str) -> Execute:
    """Connect to the cluster at `address`, or start one of this machine's cores where it is "local". InputError where that fails."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    try:
        import ray
        from ray import tune
    except ModuleNotFoundError as error:
        raise InputError(f"--ray: the package {error.name} is missing; pip install -e '.[ray]'") from None
    settings, versions = surroundings.settings(), stamp()["versions"]
    where = {"PYTHONPATH": os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])}
    where |= surroundings.variables(settings)
    given = {"runtime_env": {"env_vars": where}, "logging_level": "ERROR", "log_to_driver": False}
    try:
        if address == LOCAL:
            ray.init(include_dashboard=False, object_store_memory=100 * 2**20, **given)
        else:
            _knock(address)
            ray.init(address=address, **given)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"--ray {address}: no cluster there ({str(error).splitlines()[0]}); give its address, or local"
        ) from None
    have = ray.cluster_resources()
    each = {"cpu": 1.0, "gpu": 1.0 if have.get("GPU") else 0.0}
    note(f"ray: {have.get('CPU', 0):g} cores and {have.get('GPU', 0):g} GPUs")

    def play(jobs: Sequence[Job], past: list[Past], done: Done) -> None:
        def trial(chosen: dict) -> None:
            if said := refusal(settings, versions):
                tune.report({"refused": said})
                return
            played = play_job(JobRunner(sweep.config, sweep.tasks), sweep, jobs[chosen["job"]], past)
            tune.report({"played": json.dumps(played)})  # as text, which brings floats back as they were

        class Hand(tune.Callback):
            """Hands results on as they come; Tune's own form for it is a subclass."""

            def on_trial_result(self, iteration, trials, trial, result, **info) -> None:
                if "refused" in result:
                    refused.append(result["refused"])
                else:
                    done(jobs[trial.config["job"]], JobResult(*json.loads(result["played"])))

        if not jobs:
            return
        refused: list[str] = []
        # What Tune prints is no result.
        with tempfile.TemporaryDirectory(prefix="lobjax-ray-") as folder, contextlib.redirect_stdout(sys.stderr):
            results = tune.Tuner(
                tune.with_resources(trial, each),
                param_space={"job": tune.grid_search(list(range(len(jobs))))},
                run_config=tune.RunConfig(
                    storage_path=folder,
                    verbose=0,
                    callbacks=[Hand()],
                    failure_config=tune.FailureConfig(max_failures=RETRIES),
                ),
            ).fit()
        for said in refused:
            raise InputError(said)
        for error in results.errors:
            raise error

    return play


def refusal(settings: Mapping[str, Any], versions: Mapping[str, str]) -> str | None:
    """Why this worker cannot play for a sweep that began with these (its part of the table would differ); None if it can."""
    where = f"--ray: worker on {socket.gethostname()}"
    try:
        surroundings.check_same(settings, where)
    except InputError as error:
        return str(error)
    for name, version in stamp()["versions"].items():
        if version != versions.get(name):
            return f"{where}: has {name} {version}, and the sweep was started with {versions.get(name)}; install the same there"
    return None


def _knock(address: str) -> None:
    """OSError where nothing listens at host:port: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal() and len(port) <= 5:
        socket.create_connection((host, int(port)), timeout=10).close()
