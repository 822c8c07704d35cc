"""Training runs: `python -m train run|resume|digest|sweep|torch|arena|forecast|convert`, each with --help.

Signatures only: a page of help, and an argument that is wrong, do not wait for JAX, which a command imports when it runs.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from lobjax.cli import run_command
from lobjax.config import load_yaml, override
from lobjax.errors import InputError
from lobjax.exits import exits_cleanly
from lobjax.packaged import configuration
from lobjax.ranges import Range, Seed, ranged

if TYPE_CHECKING:
    from lobjax.learn.tasks import Tasks


def commands(tasks: "Tasks | None" = None) -> dict[str, Callable]:
    """The subcommands, over the environments that `tasks` offers; None: those of `lobjax.env`."""

    def offered() -> "Tasks":
        from lobjax.learn.tasks import MARKET

        return tasks or MARKET

    @ranged
    def run(
        config: tyro.conf.Positional[Path],
        /,
        out: Path,
        seed: Seed | None = None,
        set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
        devices: Annotated[int, Range(1, 4096)] | None = None,
        phases: bool = False,
        coordinator: str | None = None,
        processes: Annotated[int, Range(1, 65_536)] | None = None,
        process: Annotated[int, Range(0, 65_535)] | None = None,
    ) -> None:
        """Train from the beginning, into a new folder.

        Args:
            config: the YAML configuration, see configs/train/; or the bare name of one there, such as smoke.
            out: the folder that the run leaves; it must not exist or be empty.
            seed: replaces the configuration's seed.
            set: replace values of the configuration, such as algorithm.epochs=2.
            devices: on how many devices, of all processes together; replaces the configuration's number.
            phases: first time environment, inference and learning alone, and show their shares.
            coordinator: HOST:PORT of process 0, where several processes train together, or "auto" on a cluster; else LOBJAX_COORDINATOR.
            processes: how many processes; else LOBJAX_PROCESSES.
            process: which of them this is, from 0; else LOBJAX_PROCESS.
        """
        given = {"seed": seed, "devices": devices}
        assignments = [*set, *(f"{name}={value}" for name, value in given.items() if value is not None)]
        described = override(load_yaml(configuration(config, "train")), assignments)
        with _training():
            from lobjax.learn import runner
            from lobjax.learn.config import config_from
            from lobjax.learn.processes import join

            join(coordinator, processes, process)
            runner.start(config_from(described, offered().env_config), offered(), out, phases)

    @ranged
    def resume(
        folder: tyro.conf.Positional[Path],
        /,
        checkpoint: Path | None = None,
        devices: Annotated[int, Range(1, 4096)] | None = None,
        phases: bool = False,
        coordinator: str | None = None,
        processes: Annotated[int, Range(1, 65_536)] | None = None,
        process: Annotated[int, Range(0, 65_535)] | None = None,
    ) -> None:
        """Go on with a run that was stopped, from its last complete checkpoint; it ends as if it never had been.

        Args:
            folder: the run's folder.
            checkpoint: go on from this one instead.
            devices: on how many devices; a run may go on with another number.
            phases: as for run.
            coordinator: as for run; all processes must see the folder.
            processes: as for run.
            process: as for run.
        """
        with _training():
            from lobjax.learn import runner
            from lobjax.learn.processes import join

            join(coordinator, processes, process)
            runner.resume(folder, offered(), checkpoint, devices, phases)

    def digest(folder: tyro.conf.Positional[Path], /, at: Path | None = None) -> None:
        """Print a hash of the whole state at the last complete checkpoint.

        Args:
            folder: the run's folder.
            at: this checkpoint instead.
        """
        from lobjax.learn import checkpoint
        from lobjax.learn.runfolder import RunFolder

        RunFolder(folder).about()
        found = [checkpoint.find(at)] if at else checkpoint.complete(RunFolder(folder).checkpoints)
        if not found:
            raise InputError(f"{folder}: no complete checkpoint yet; `python -m train resume {folder}` makes some")
        print(checkpoint.digest(checkpoint.arrays_of(found[-1])))

    def sweep(
        config: tyro.conf.Positional[Path],
        /,
        out: Path | None = None,
        set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
        ray: str | None = None,
    ) -> None:
        """Train many runs that differ in seeds and values, as few compiled programs; the same command goes on after a kill.

        Args:
            config: the YAML description of the sweep, see configs/sweep/; or the bare name of one there.
            out: the folder of its table and report; runs/sweep-NAME of the configuration unless it is given.
            set: replace values, such as trials=16 or train.total_steps=100000.
            ray: play the programs on a Ray cluster: its address, or local for this machine's cores.
        """
        override(
            load_yaml(configuration(config, "sweep")), [*set]
        )  # a file that cannot be read is told before anything is imported
        with _training():
            try:
                from lobjax.learn.sweep import cluster  # optuna is an extra
                from lobjax.learn.sweep.config import load_sweep
                from lobjax.learn.sweep.run import run_sweep
            except ModuleNotFoundError as error:
                raise InputError(f"sweep: the package {error.name} is missing; pip install -e '.[sweep]'") from None
            made = load_sweep(config, *set, tasks=offered())
            play = cluster.on_ray(made, ray) if ray else None
            run_sweep(made, out or Path("runs") / f"sweep-{config.stem}", play)

    @ranged
    def torch(
        config: tyro.conf.Positional[Path],
        /,
        out: Path,
        seed: Seed | None = None,
        set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
        resume: bool = False,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        recipe: Literal["current", "delayed"] = "current",
        computed_fp8: bool = False,
        compile: bool = False,
    ) -> None:
        """Train the Transformer in PyTorch on the same rollouts; with several GPUs: torchrun --nproc-per-node N -m train torch ...

        Args:
            config: the YAML configuration, or its name, as for run; its network must be a Transformer.
            out: the folder that the run leaves; with --resume the one to go on in.
            seed: replaces the configuration's seed.
            set: replace values of the configuration, such as net.precision=bfloat16.
            resume: go on from the last complete checkpoint; the run ends as if it never had been stopped.
            device: where the network computes; auto takes a GPU where there is one.
            recipe: how FP8 tensors are scaled, by their own amax or by earlier ones.
            computed_fp8: where there is no FP8 hardware, compute its arithmetic in float32 (slow, for tests).
            compile: torch.compile the update.
        """
        described = override(
            load_yaml(configuration(config, "train")), [*set, *([f"seed={seed}"] if seed is not None else [])]
        )
        with _training():
            from lobjax.learn import runner
            from lobjax.learn.config import config_from
            from lobjax.learn.torch import Torch  # torch is an extra; this says so where it is missing

            made = config_from(described, offered().env_config)
            backend = Torch(device=device, computed_fp8=computed_fp8, recipe=recipe, compile=compile)
            if resume:
                runner.resume(out, offered(), backend=backend, expected=made)
            else:
                runner.start(made, offered(), out, backend=backend)

    @ranged
    def arena(
        config: tyro.conf.Positional[Path],
        /,
        out: Path,
        seed: Seed | None = None,
        set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
        resume: bool = False,
        checkpoint: Path | None = None,
        devices: Annotated[int, Range(1, 4096)] | None = None,
    ) -> None:
        """Train groups of seats beside each other in one arena; with --resume go on, as if the run never had been stopped.

        Args:
            config: the YAML configuration, such as configs/train/arena.yaml; or the bare name of one there, such as arena_smoke.
            out: the folder that the run leaves; with --resume the one to go on in.
            seed: replaces the configuration's seed.
            set: replace values of the configuration, such as algorithm.epochs=2 or arena.decisions=50.
            resume: go on from the last complete checkpoint.
            checkpoint: with --resume, go on from this one instead.
            devices: on how many devices; a run may go on with another number.
        """
        assignments = [*set, *([f"seed={seed}"] if seed is not None else [])]
        configuration(config, "train")
        if checkpoint is not None and not resume:
            raise InputError("--checkpoint: a new run begins from none; add --resume, or leave it out")
        with _training():
            from lobjax.learn import arena as learning

            if resume:
                expected = learning.load_arena_config(config, *assignments)
                learning.resume(out, checkpoint=checkpoint, devices=devices, expected=expected)
            else:
                given = [*assignments, *([f"devices={devices}"] if devices is not None else [])]
                learning.start(learning.load_arena_config(config, *given), out)

    @ranged
    def forecast(
        config: tyro.conf.Positional[Path],
        /,
        out: Path,
        seed: Seed | None = None,
        set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
        resume: bool = False,
    ) -> None:
        """Train an ensemble that forecasts the mid of a recorded day; ends with its scores on the test part as one JSON line.

        Args:
            config: the YAML configuration, see configs/forecast/; or the bare name of one there, such as cnn_lstm.
            out: the folder that the run leaves; with --resume the one to go on in.
            seed: replaces the configuration's seed.
            set: replace values of the configuration, such as data=day.zip or ensemble.net.kind=tlob.
            resume: go on from the last complete checkpoint; the run ends as if it never had been stopped.
        """
        assignments = [*set, *([f"ensemble.seed={seed}"] if seed is not None else [])]
        described = override(load_yaml(configuration(config, "forecast")), assignments)
        with _training("lower ensemble.batch or ensemble.members"):
            from lobjax.learn import forecasting

            made = forecasting.forecast_config(described)
            print(json.dumps((forecasting.resume if resume else forecasting.start)(made, out), allow_nan=False))

    def convert(source: tyro.conf.Positional[Path], /, out: Path | None = None) -> None:
        """Write a saved Transformer agent in the other framework's format, to the bit.

        Args:
            source: a folder with policy.npz (writes policy.safetensors), or a policy.safetensors (writes policy.npz).
            out: the folder to write into; without it, where the agent is.
        """
        from lobjax.torch_port.convert import from_safetensors, to_safetensors  # torch is an extra

        print(from_safetensors(source, out) if source.suffix == ".safetensors" else to_safetensors(source, out))

    return {
        "run": run,
        "resume": resume,
        "digest": digest,
        "sweep": sweep,
        "torch": torch,
        "arena": arena,
        "forecast": forecast,
        "convert": convert,
    }


@contextmanager
def _training(change: str = "lower n_envs, or spread it with --devices") -> Iterator[None]:
    """A number that is not finite ends the process with status 1, too little memory with one line and status 2."""
    from lobjax.learn.runner import NotFinite
    from lobjax.memory import exhaustion_as_input_error

    try:
        with exhaustion_as_input_error("training", change=change):
            yield
    except NotFinite as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


@exits_cleanly
def main(arguments: Sequence[str] | None = None, tasks: "Tasks | None" = None) -> None:
    """Run one command; a bad input ends it with one line and status 2, a number that is not finite with status 1."""
    run_command(commands(tasks), "python -m train", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    main()
