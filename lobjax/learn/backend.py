"""What the loop of a run asks of the framework that computes in it. Flax's answer is `lobjax.learn.flax`, torch's `lobjax.learn.torch`.

The loop, the folder, checkpoints, metrics and the evaluation are one implementation above this line: `lobjax.learn.runner`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from lobjax.learn.checkpoint import Checkpoint
from lobjax.learn.config import TrainConfig
from lobjax.nets.statistics import Statistics

T = TypeVar("T")
G = TypeVar("G", bound="ProcessGroup")


class Report(NamedTuple):
    """What an update says, on the host."""

    scalars: Mapping[str, Any]  # f32[] by name
    vectors: Mapping[str, Any]  # f32[k] by name
    broken: Sequence[str]  # names of what was not finite; the run ends there


class ProcessGroup(Protocol):
    """The processes that train one run together; each calls all of these, in the same order. The module `lobjax.learn.processes` is one."""

    def first(self) -> bool:
        """Whether this process is the one that writes."""
        ...

    def by_the_first(self, action: Callable[[], T]) -> T | None:
        """Run `action` in the first process while the others wait; where it fails they end too, with one line. Its result, there."""
        ...

    def agreed(self, number: int) -> bool:
        """Whether all processes have the same number."""
        ...

    def leave(self) -> None:
        """Training has ended: from here on every process is alone."""
        ...


class RunState(Protocol):
    """The state of one run, and what moves it on: all that the loop asks. Every process of the run calls each method, in the same order."""

    task: str  # what its checkpoints are marked with
    settings: Mapping[str, Any]  # that its numbers depend on; checkpoints record them

    def begin(self) -> None:
        """Make the first state."""
        ...

    def load(self, found: Checkpoint) -> None:
        """Take over the state in a checkpoint; InputError where it is of another run."""
        ...

    @property
    def updates(self) -> int:
        """Updates done."""
        ...

    def compile(self) -> None:
        """What must be compiled before the first update."""
        ...

    def update(self) -> Report:
        """Play a rollout and learn from it."""
        ...

    def arrays(self) -> dict[str, np.ndarray] | None:
        """The whole state by name, as checkpoints hold it; None in processes that do not write."""
        ...


class Learner(RunState, Protocol):
    """The run of one agent."""

    said: Sequence[str]  # of itself, a line each

    def shares(self) -> dict[str, float]:
        """Shares of an update by part (environment, inference, learning), each timed alone; InputError where they cannot be."""
        ...

    def agent(self) -> tuple[Any, Statistics]:
        """Parameters {"net", "head"} as Flax names them, and statistics of observations, for `lobjax.policy`."""
        ...

    def release(self) -> None:
        """Let go of the state: the run has ended, and its agent was taken."""
        ...

    def export(self, folder: Path) -> None:
        """Write the agent in the framework's own format too, if it has one, beside `folder`/policy.npz."""
        ...


class Backend(Protocol[G]):
    """A framework, with what is chosen of it for a run."""

    def opened(self) -> AbstractContextManager[G]:
        """The processes of a run, joined for as long as this is held."""
        ...

    def check(self, config: TrainConfig, group: G) -> None:
        """InputError for what cannot be done here, before environments are made."""
        ...

    def learner(self, config: TrainConfig, env: Any, group: G) -> Learner:
        """The learner of a run; InputError for all that can be seen before compiling."""
        ...

    def about(self, group: G) -> dict[str, Any]:
        """What run.json says beside what is said of every run."""
        ...

    def check_resumes(self, about: Mapping[str, Any], where: Path, group: G) -> None:
        """InputError where a run of which run.json at `where` says `about` cannot go on here."""
        ...
