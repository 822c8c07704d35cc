"""`python -m bench train`: whole training steps (play, advantages, gradients, statistics) a second; one record for each cell."""

from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.ranges import Range, ranged


@ranged
def train(
    *,
    cells: str = "mlp:1,mlp:100,transformer:100",
    envs: Annotated[int, Range(1, 1 << 20)] = 512,
    length: Annotated[int, Range(0, 65_536)] = 0,
    engine: str = "auto",
    devices: Annotated[int, Range(1, 4096)] = 1,
    runs: Annotated[int, Range(1, 1000)] = 5,
    phases: bool = True,
    out: Path | None = None,
) -> None:
    """Measure training steps (environment steps that are played and learnt from) a second.

    The task is configs/train/execution.yaml's with steps counted in messages: PPO, 4 epochs of 4 minibatches. An update is timed from the
    state before it to the state after it, and runs on from there.

    Args:
        cells: NET:MESSAGES of the background in a step, separated by commas; nets: mlp, transformer (2 x 128, W = 64).
        envs: Environments, of all devices together.
        length: Steps of each environment in an update; 0 for one episode: 10 steps, 100 at one message a step, 64 with the Transformer.
        engine: auto, host, xla or kernel.
        devices: Devices under pmap.
        runs: Of which the record has the median, the least and the most; 5 or more. A run repeats a short update.
        phases: Also compile and time environment, inference and learning alone, as much of each as one device has.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    from bench.speed.training import steps as work
    from lobjax.memory import exhaustion_as_input_error

    asked = [
        (net, messages, work.cell_config(net, messages, envs, length, engine, devices))
        for net, messages in work.named_cells(cells)
    ]
    for net, messages, config in asked:
        with exhaustion_as_input_error(f"{net}: {envs:,} environments", change=work.CHANGE):
            record = work.measure(config, runs, phases)
        record = {"bench": "train", "net": net, "messages_per_step": messages, **record}
        work.say(record)
        recording.append(out, record)
