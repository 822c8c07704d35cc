"""Fields that had another name: files that were written then are read, and a field by both names is refused."""

from dataclasses import dataclass, field

import pytest

from backtest.config import BacktestConfig
from lobjax.config import build, formerly, renamed, to_dict
from lobjax.errors import InputError
from lobjax.learn.sweep.config import SweepConfig


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: BacktestConfig = field(default_factory=BacktestConfig)
    wide: int = field(default=1, metadata=formerly("broad"))


def test_a_former_name_is_read_as_the_present_one_at_every_depth():
    made = build(Outer, {"broad": 3, "inner": {"looks": 7}})
    assert (made.wide, made.inner.samples_per_decision) == (3, 7)
    plain = to_dict(made)
    assert plain["inner"]["samples_per_decision"] == 7 and "looks" not in plain["inner"] and "broad" not in plain
    assert build(Outer, plain) == made
    assert renamed(SweepConfig, {"lanes": 4, "seeds": 2}) == {"runs_per_program": 4, "seeds": 2}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"broad": 3, "wide": 3}, "config: 'broad' is the former name of 'wide', and both are there; remove 'broad'"),
        ({"broad": "x"}, "config.wide: expected a whole number"),
        ({"looks": 3}, "config: unknown key 'looks'"),  # another dataclass's
    ],
)
def test_a_field_by_both_names_or_of_a_wrong_value_is_refused(data, said):
    with pytest.raises(InputError) as refused:
        build(Outer, data)
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)
