"""`python -m tests.learn.several ...` is `python -m train` over the probes, imported once the processes have met: they use JAX."""

from lobjax.learn.tasks import Tasks
from train.__main__ import main


def env_config(section):
    from tests.learn.probes import TASKS

    return TASKS.env_config(section)


def make(config):
    from tests.learn.probes import TASKS

    return TASKS.make(config)


if __name__ == "__main__":
    main(tasks=Tasks(env_config, make))
