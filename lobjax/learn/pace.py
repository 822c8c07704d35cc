"""What the loop, the folder, checkpoints and sinks ask of a run's configuration, whatever is trained: `TrainConfig` is one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, kw_only=True)
class BestConfig:
    """Which checkpoint counts as the best: that whose update had the largest (or smallest) value of a metric."""

    metric: str = "episode/return"
    better: Literal["larger", "smaller"] = "larger"


class RunConfig(Protocol):
    """A dataclass. An update plays `batch_size` environment steps and learns from them; there are `n_updates`."""

    @property
    def seed(self) -> int: ...

    @property
    def devices(self) -> int: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def n_updates(self) -> int: ...

    @property
    def checkpoint_every(self) -> int: ...

    @property
    def keep(self) -> int | None: ...

    @property
    def keep_best(self) -> BestConfig | None: ...

    @property
    def sinks(self) -> Sequence[str]: ...

    @property
    def compile(self) -> Literal["full", "quick"]: ...

    @property
    def flows(self) -> tuple[Any, ...]:
        """Configurations of the flows that it plays in, of which run.json names the files."""
        ...
