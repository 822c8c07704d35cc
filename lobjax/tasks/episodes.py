"""What the tasks on a market have in common: an episode of decisions, each a step of time or of messages."""

from typing import Protocol

DAY_S = 86_400.0


class Episode(Protocol):
    """What a task's configuration says of its episodes."""

    @property
    def decisions(self) -> int: ...
    @property
    def step_s(self) -> float: ...
    @property
    def step_messages(self) -> int: ...
    @property
    def offsets_ticks(self) -> tuple[int, ...]: ...


def check_episode(config: Episode) -> None:
    """ValueError unless no level is named twice and an episode ends within a day."""
    if len(set(config.offsets_ticks)) != len(config.offsets_ticks):
        raise ValueError("offsets_ticks names a level twice; name each once")
    if not config.step_messages and config.decisions * config.step_s > DAY_S:
        raise ValueError(
            f"{config.decisions:,} decisions of {config.step_s:g} s last longer than a day; lower decisions or step_s"
        )
