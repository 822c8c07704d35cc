"""`python -m tests.train.several run|resume ...` is `python -m train` over the probes, which are imported only once the processes have met."""

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
