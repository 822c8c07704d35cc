"""Configurations of runs in arenas: what comes with the package is read, what is wrong is said in one line."""

import pytest

from lobjax.config import to_dict
from lobjax.errors import InputError
from lobjax.learn.arena import arena_config_from, load_arena_config
from tests.learn.arena.small import ARENA, CONFIG, config


@pytest.mark.parametrize("name", ["arena", "arena_smoke"])
def test_configurations_that_come_with_the_package_are_read_and_written_back(name):
    made = load_arena_config(name, "seed=3", "arena.decisions=7")
    assert made.seed == 3 and made.arena.decisions == 7
    assert arena_config_from(to_dict(made)) == made


def test_what_a_group_says_replaces_what_is_said_of_all():
    made = config(
        learn={"market_maker": {"net": {"kind": "gru", "width": 4}}, "momentum": {"algorithm": {"discount": 0.5}}}
    )
    maker, momentum = made.learn
    assert maker.net.kind == "gru" and momentum.net.hidden == (8,)
    assert momentum.algorithm.discount == 0.5 and momentum.algorithm.epochs == maker.algorithm.epochs == 2
    assert config(learn=["momentum", "market_maker"]).learning == ("momentum", "market_maker")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learn": ["market_makr"]}, "learn: no group 'market_makr' in the arena; did you mean 'market_maker'?"),
        ({"learn": []}, "learn: no group learns; name one of market_maker, momentum, rival, execution"),
        ({"learn": {"momentum": {"nett": 1}}}, "config.learn.momentum: unknown key 'nett'; did you mean 'net'?"),
        ({"learn": {"momentum": 3}}, "config.learn.momentum: expected a mapping, found int 3"),
        ({"learn": 3}, "config.learn: expected groups by name, found int 3"),
        ({"learn": [3]}, "config.learn: expected the name of a group, found int 3"),
        ({"learn": ["momentum", "momentum"]}, "'momentum' is there twice"),
        ({"plays": {"momentum": "trend", "rival": {"pool": "market_maker"}}}, "plays: 'momentum' is there twice; a group either learns"),
        ({"plays": {"rivl": "skewed"}}, "plays: no group 'rivl' in the arena; did you mean 'rival'?"),
        ({"plays": {"rival": "skewd"}}, "plays.rival: no rule 'skewd'; did you mean 'skewed'?"),
        ({"plays": {"rival": {"pol": "momentum"}}}, "config.plays.rival: unknown key 'pol'; did you mean 'pool'?"),
        ({"plays": {"rival": {"pool": "momentm"}}}, "plays.rival.pool: no group 'momentm' learns; did you mean 'momentum'?"),
        ({"plays": {"rival": {"pool": "momentum"}}}, "plays.rival.pool: 'momentum' has another role"),
        ({"plays": {"rival": 3}}, "config.plays.rival: expected a rule's name, or one of rule, agent, pool"),
        ({"plays": {"rival": {"agent": "nowhere", "action": "mode"}}}, "unknown key 'action'"),
        ({"opponents": None}, "plays.rival: a pool of past selves, but there is none; give opponents"),
        ({"opponents": {"share": 0.0}, "plays": {}}, "past selves would play nowhere"),
        ({"opponents": {"share": 0.123456}}, "share 0.123456 is no fraction with a denominator up to 64"),
        ({"opponents": {"share": 0.1}}, "do not divide into groups of 10; make n_envs a multiple of 10"),
        ({"opponents": {"draw": "newest"}}, "config.opponents.draw: 'newest' is not allowed"),
        ({"opponents": {"size": 0}}, "size: 0 is out of range"),
        ({"opponents": {"share": 0.5}, "learn": ["momentum"], "plays": {}}, "one seat learns alone, so past selves have no seat"),
        ({"curriculum": {}}, "nothing to change; give start_probability or intensity"),
        ({"curriculum": {"intensity": [0, 2]}}, "intensity"),
        ({"curriculum": {"intensity": [0]}}, "intensity"),
        ({"arena": {k: v for k, v in ARENA.items() if k != "events"}}, "curriculum: the arena has no events"),
        ({"arena": ARENA | {"roles": {"market_makr": 1}}}, "no role 'market_makr'; did you mean 'market_maker'?"),
        ({"arena": ARENA | {"roles": {"market_maker": 0}}}, "seats: 0 is out of range"),
        ({"arena": "mixd"}, "mixd: neither a file nor the name of a configuration; did you mean 'mixed'?"),
        ({"arena": 3}, "config.arena: expected a mapping, found int 3"),
        ({"n_envs": 7}, "n_envs 7 does not divide into 1 devices x 2 minibatches of 'market_maker'; make it a multiple of 2"),
        ({"total_steps": 10}, "total_steps 10 is less than one update of 40 steps"),
        ({"n_env": 8}, "unknown key 'n_env'; did you mean 'n_envs'?"),
        ({"algorithm": {"epoch": 2}}, "unknown key 'epoch'; did you mean 'epochs'?"),
        ({"net": {"kind": "lstm"}}, "'lstm' is not known"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(changes, message):
    with pytest.raises(InputError) as refused:
        config(**changes)
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["arena", "learn"])
def test_what_is_missing_is_named(missing):
    with pytest.raises(InputError, match=f"missing key '{missing}'"):
        load_arena_config({key: value for key, value in CONFIG.items() if key != missing})
