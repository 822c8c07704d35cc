"""`python -m tests.train.several ...` is `python -m train` over the probes, imported once the processes have met: they use JAX."""

from train.__main__ import main
from train.tasks import Tasks


def env_config(section):
    from tests.train.probes import TASKS

    return TASKS.env_config(section)


def make(config):
    from tests.train.probes import TASKS

    return TASKS.make(config)


if __name__ == "__main__":
    main(tasks=Tasks(env_config, make))
