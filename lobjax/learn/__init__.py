"""Training from Python; `train/` holds the commands on it.

    from lobjax.learn import load_config, train

    run = train(load_config("smoke", "total_steps=8000"), out="runs/mine")
    run.policy, run.metrics, run.evaluation

`train` runs the loop, with a folder, checkpoints, a progress bar and an evaluation; `make_train` gives the whole run as one function of a
key. What is named here is imported when it is first asked for. Nothing but `lobjax.learn.torch` needs torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lobjax.learn.algorithm import ALGORITHMS, ActorCriticConfig, AlgorithmSpec, PPOConfig, register_algorithm
    from lobjax.learn.api import resume, train
    from lobjax.learn.backend import Backend, Learner
    from lobjax.learn.compiled import Trained, make_train
    from lobjax.learn.config import BestConfig, EvaluationConfig, TrainConfig, config_from, load_config
    from lobjax.learn.flax import Flax
    from lobjax.learn.learner import LearnerFns, TrainState, assemble, make_learner
    from lobjax.learn.loop import NotFinite
    from lobjax.learn.optimiser import AdamConfig, AdamWConfig, SGDConfig, register_optimiser
    from lobjax.learn.run import Run, load_run
    from lobjax.learn.tasks import Tasks

_HOMES = {
    "algorithm": ("ALGORITHMS", "ActorCriticConfig", "AlgorithmSpec", "PPOConfig", "register_algorithm"),
    "api": ("resume", "train"),
    "backend": ("Backend", "Learner"),
    "compiled": ("Trained", "make_train"),
    "config": ("BestConfig", "EvaluationConfig", "TrainConfig", "config_from", "load_config"),
    "flax": ("Flax",),
    "learner": ("LearnerFns", "TrainState", "assemble", "make_learner"),
    "loop": ("NotFinite",),
    "optimiser": ("AdamConfig", "AdamWConfig", "SGDConfig", "register_optimiser"),
    "run": ("Run", "load_run"),
    "tasks": ("Tasks",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ALGORITHMS", "ActorCriticConfig", "AdamConfig", "AdamWConfig", "AlgorithmSpec", "Backend", "BestConfig", "EvaluationConfig", "Flax",
    "Learner", "LearnerFns", "NotFinite", "PPOConfig", "Run", "SGDConfig", "Tasks", "TrainConfig", "TrainState", "Trained", "assemble",
    "config_from", "load_config", "load_run", "make_learner", "make_train", "register_algorithm", "register_optimiser", "resume", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"lobjax.learn.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'lobjax.learn' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__all__)
