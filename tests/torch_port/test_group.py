"""What torchrun leaves in the environment, and what is no such thing: refused in one line before any process is waited for."""

import pytest

from lobjax.errors import InputError
from lobjax.learn.torch.group import group, processes_here

MEETING = {"MASTER_ADDR": "localhost", "MASTER_PORT": "29511"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WORLD_SIZE": "abc"}, "WORLD_SIZE: 'abc' is not a whole number"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE: 0 is out of range"),
        ({"RANK": "x"}, "RANK: 'x' is not a whole number"),
        ({"RANK": "1"}, "RANK=1: there are 1 processes"),
        ({"LOCAL_RANK": "-1"}, "LOCAL_RANK: '-1' is not a whole number"),
        ({"WORLD_SIZE": "2"}, "meet at MASTER_ADDR and MASTER_PORT; start them with torchrun"),
        ({"WORLD_SIZE": "2", **MEETING, "MASTER_PORT": "99999"}, "MASTER_PORT: 99999 is out of range"),
        ({"WORLD_SIZE": "2", **MEETING, "MASTER_ADDR": "nowhere.invalid"}, "MASTER_ADDR=nowhere.invalid: "),
    ],
)
def test_an_environment_that_is_not_torchruns_is_one_line(environment, said, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as refused, group("cpu"):
        pytest.fail("it was taken")
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", " ")
    with group("cpu") as alone:
        assert (alone.rank, alone.size, processes_here()) == (0, 1, 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "0")
    with pytest.raises(InputError, match="LOCAL_WORLD_SIZE: 0 is out of range"):
        processes_here()
