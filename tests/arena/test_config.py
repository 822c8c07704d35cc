"""What an arena's configuration refuses, each in one line that says what to do."""

import pytest

from lobjax.arena import arena_config, make_arena
from lobjax.config import to_dict
from lobjax.errors import InputError
from tests.arena.small import MIXED, config


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"roles": {"market_makre": 1}}, "config.roles: no role 'market_makre'; did you mean 'market_maker'?"),
        ({"roles": {"market_maker": 0}}, "config.roles[0].seats: 0 is out of range"),
        ({"roles": {}}, "no seats"),
        ({"roles": {"market_maker": {"sets": 2}}}, "unknown key 'sets'; did you mean 'seats'?"),
        ({"roles": {"a": {"role": "momentum", "seats": 40}, "b": {"role": "momentum", "seats": 40}}}, "80 seats are more than 64"),
        ({"roles": {"a b": {"role": "momentum"}}}, "'a b' is no name for a group"),
        ({"roles": {"momentum": {"venue": 2}}}, "roles.momentum.venue: 2, but there are 2 venues"),
        ({"roles": {"momentum": {"order_delay_ns": 2_000_000_000}}}, "must be shorter than a decision"),
        ({"roles": {"momentum": {"capital": 10}}}, "capital: 10 ticks is below the price of a lot (1000); raise it"),
        ({"venues": [{}]}, "venue: 1, but there are 1 venues"),
        ({"roles": {"arbitrageur": 1}, "venues": [{}]}, "an arbitrageur with one venue has nothing to compare"),
        ({"roles": {"arbitrageur": 1}, "venues": [{}, {"asset": 1}]}, "needs one asset at all venues"),
        ({"venues": [{}, {"asset": 2}]}, "have a gap"),
        ({"max_messages": 20}, "20 are too few"),
        ({"step_messages": 5}, "step_messages counts the messages of one venue"),
        ({"fundamental": {"volatility_ticks": 29.0}, "step_s": 4.0}, "at most 31 ticks a decision"),
        ({"venues": [{}, {"flow": {"kind": "poisson", "size_max": 5}}]}, "must be as long as those of the first venue"),
        ({"roles": {"momentum": {"levels": 4, "maximum_position_lots": 3}}}, "two levels would hold the same"),
        ({"events": {"news_steps": [5, 2]}}, "put the smaller number first"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(changes, said):
    with pytest.raises(InputError) as error:
        make_arena(config(**changes))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_configuration_comes_back_from_its_dictionary():
    described = config()
    assert arena_config(to_dict(described)) == described
    assert [group.name for group in described.roles] == list(MIXED["roles"])


@pytest.mark.parametrize("wrong", [None, [], "mixed", {"roles": 3}])
def test_what_is_no_mapping_is_refused(wrong):
    with pytest.raises(InputError, match="expected a mapping"):
        arena_config(wrong)
