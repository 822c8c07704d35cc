"""`python -m bench env`: environment steps a second under a random policy, in recorded and simulated markets; one record each."""

from itertools import product
from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, ranged

FLOWS, ENGINES, RESETS = ("simulated", "recorded"), ("auto", "host", "xla", "kernel"), ("step", "episode")


@ranged
def env(
    *,
    flow: str = "simulated",
    messages_per_step: str = "1,100",
    envs: str = "1,256,1024",
    engine: str = "auto",
    reset: str = "auto",
    data: Path | None = None,
    steps: Annotated[int, Range(1, 1_000_000)] = 100,
    decisions: Annotated[int, Range(0, (1 << 20) - 1)] = 0,
    capacity: str = "128",
    runs: Annotated[int, Range(1, 1000)] = 5,
    kernel_record: Path | None = None,
    out: Path | None = None,
) -> None:
    """Measure environment steps (decisions) a second of the public environment, mapped over many. Lists measure every combination.

    The task is market making, whose episodes have one length. A step ends when so many messages of the flow have come. Observations and
    rewards are computed at every step; the record says what is included.

    Args:
        flow: simulated, recorded, or both separated by a comma.
        messages_per_step: Messages of the flow in one step.
        envs: Environments in one call.
        engine: auto, host, xla or kernel; or several, separated by commas.
        reset: How episodes follow each other: step (env.step), episode (env.transition, and env.reset at its end, as training does), or
            auto: step where the flow is recorded, episode where it is simulated, since a start costs a warm-up of the market there.
        data: The recorded day: a LOBSTER zip or message file, or a folder made by `lobjax data build`.
        steps: Steps of each environment in a call.
        decisions: Steps of an episode; 0 for 100, or what 1,000 messages make.
        capacity: Orders that a side of a book can hold: a power of two.
        runs: Of which the record has the median, the least and the most; 5 or more. A run repeats a short call.
        kernel_record: JSON lines of `bench kernel-compile`, for the floor of the kernel in instructions.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    flows, engines = (_known(*pair) for pair in (("--flow", flow, FLOWS), ("--engine", engine, ENGINES)))
    if reset not in ("auto", *RESETS):
        raise InputError(f"--reset {reset}: unknown; {nearest(reset, ('auto', *RESETS))}")
    if "recorded" in flows and data is None:
        raise InputError("--data: not given; name the recorded day, as LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
    lengths, counts = (
        recording.numbers("--messages-per-step", messages_per_step, 1, 1 << 19),
        recording.numbers("--envs", envs, 1, 1 << 20),
    )
    sizes = recording.numbers("--capacity", capacity, 1, 512)
    from bench.speed import env as work
    from lobjax.memory import exhaustion_as_input_error

    for kind, n, name, messages in product(flows, sizes, engines, lengths):
        long = decisions or max(1, min(work.MOST_DECISIONS, work.EPISODE_MESSAGES // messages))
        way = reset if reset != "auto" else "step" if kind == "recorded" else "episode"
        if way == "episode" and steps % long:
            raise InputError(f"--steps {steps}: not a multiple of --decisions {long}; episodes are played whole")
        made = None
        for many in counts:
            asked = work.Asked(kind, way, name, messages, many, steps, long, n, runs, data)
            made = made or work.made_environment(asked)
            with exhaustion_as_input_error(f"{many:,} environments", change=work.CHANGE):
                work.check_memory(made, many)
                step = work.step_compiled(made, many)
                record = work.measure(asked, made, step, kernel_record)
            work.say(record)
            recording.append(out, record)


def _known(option: str, text: str, known: tuple[str, ...]) -> list[str]:
    names = [*dict.fromkeys(part.strip() for part in text.split(","))]
    for name in names:
        if name not in known:
            raise InputError(f"{option} {name}: unknown; {nearest(name, known)}")
    return names
