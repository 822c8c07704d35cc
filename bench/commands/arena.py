"""`python -m bench arena`: steps a second of an arena under a random policy; one record each."""

from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError
from lobjax.ranges import Range, ranged


@ranged
def arena(
    *,
    roles: str = "market_maker=10,execution=10",
    messages_per_step: str = "1,100",
    envs: str = "256",
    decisions: Annotated[int, Range(1, 10_000)] = 50,
    capacity: Annotated[int, Range(8, 512)] = 128,
    engine: str = "auto",
    runs: Annotated[int, Range(1, 1000)] = 5,
    out: Path | None = None,
) -> None:
    """Measure steps (decisions of all seats) a second of arenas of one venue. Lists measure every combination.

    Args:
        roles: Roles and how many seats each has.
        messages_per_step: Messages of the flow in one step.
        envs: Arenas in one call.
        decisions: Of an episode; a call plays one of every arena.
        capacity: Orders that a side of a book can hold: a power of two.
        engine: auto, host, xla or kernel.
        runs: Of which the record has the median, the least and the most; 5 or more.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    seats = _seats(roles)
    lengths = recording.numbers("--messages-per-step", messages_per_step, 1, 1 << 16)
    counts = recording.numbers("--envs", envs, 1, 1 << 20)
    from bench.speed import arena as work
    from lobjax.memory import exhaustion_as_input_error

    for messages in lengths:
        for many in counts:
            with exhaustion_as_input_error(f"{many:,} arenas", change=work.CHANGE):
                record = work.measure(work.Asked(seats, messages, many, decisions, capacity, engine, runs))
            work.say(record)
            recording.append(out, record)


def _seats(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = part.strip().partition("=")
        if not equals or not number.strip().isdecimal() or name.strip() in found:
            raise InputError(f"--roles {text}: expected ROLE=SEATS, separated by commas, each role once")
        found[name.strip()] = int(number)
    return found
