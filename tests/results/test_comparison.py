"""Comparisons: pairing, signs, words and warnings on numbers made up; common random numbers in a real market."""

import io
import json
from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from lobjax.errors import InputError
from lobjax.evaluation import Episodes, Evaluator
from lobjax.results import Comparison, compare, evaluation, load, save, save_figures, style, table
from lobjax.results.figures import differences
from lobjax.results.metrics import MUST_BE_ZERO
from lobjax.strategies import immediate, submit_and_leave, twap, vwap, why_same
from lobjax.tasks import TASKS, known_measures, strategies
from tests.env.environments import simulated

EPISODES = Episodes(count=24, seed=5, batch=16)  # a whole batch and a partial one


def made_up(task="execution", n=50, **players):
    """A comparison of players with the headline figures given and everything else 0."""
    names = [m.name for m in TASKS[task].measures.metrics] + list(MUST_BE_ZERO)
    headline = TASKS[task].measures.headline
    figures = {p: {**{name: np.zeros(n) for name in names}, headline: np.asarray(x, float)} for p, x in players.items()}
    return Comparison(
        task, {"count": n, "seed": 0, "starts": False}, figures, {p: {} for p in players}, TASKS[task].measures
    )


class Everything:
    """A policy that puts its whole share at market; it acts through the action space."""

    def initial_carry(self, n_envs):
        return ()

    def act(self, key, carry, observation, reset):
        return carry, jnp.zeros((len(observation), 7)).at[:, 0].set(1.0)


@pytest.fixture(scope="module")
def played():
    env = simulated("execution")
    lots, decisions = int(env.default_params.task.lots), env.decisions
    players = {
        "agent": Everything(),
        "immediate": immediate(lots, decisions),
        "twap": twap(lots, decisions),
        "again": twap(lots, decisions),
    }
    return compare(env, env.default_params, players, EPISODES)


def test_pairing_shrinks_the_interval_of_a_difference():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 5, 50)
    comparison = made_up(a=shared + rng.normal(0, 0.5, 50), b=shared + 1 + rng.normal(0, 0.5, 50))
    alone = np.hypot(comparison.mean("a", "shortfall_ticks").half, comparison.mean("b", "shortfall_ticks").half)
    paired = comparison.difference("b", "shortfall_ticks")
    assert paired.half < alone / 4
    assert paired.low < -1 < paired.high


def test_an_advantage_is_positive_where_the_first_is_better():
    cost, gain = np.full(50, 2.0), np.full(50, 3.0)
    assert made_up(a=cost, b=gain).advantage("b").mean == 1  # less shortfall
    assert made_up("market_making", a=cost, b=gain).advantage("b").mean == -1  # less profit


def test_words_say_who_loses():
    rng = np.random.default_rng(1)
    worse, better = rng.normal(3, 0.1, 50), rng.normal(1, 0.1, 50)
    lost, same, level = made_up(a=worse, b=better, c=worse, d=rng.normal(3, 9, 50)).verdicts()
    assert lost.startswith("a loses to b: its shortfall is worse by ")
    assert same == "a and c did exactly the same."
    assert "cannot be told apart" in level
    assert made_up(a=better, b=worse).verdicts()[0].startswith("a beats b")


@pytest.mark.parametrize("name", MUST_BE_ZERO)
def test_warnings_name_the_count_and_the_player(name):
    comparison = made_up(a=np.zeros(50), b=np.ones(50))
    assert comparison.warnings() == []
    comparison.figures["b"][name][3] = 2
    (found,) = comparison.warnings()
    assert found.startswith(f"{name} is not 0 (b: 2)")


def test_few_episodes_are_a_warning():
    assert "only 12 episodes" in made_up(n=12, a=np.zeros(12)).warnings()[0]


def test_identical_players_differ_by_exactly_nothing(played):
    """Common random numbers: a policy, and two rules, that do the same have the same figures to the bit in every episode."""
    assert not (played.figures["twap"]["shortfall_ticks"] == played.figures["immediate"]["shortfall_ticks"]).all()
    for one, other in (("twap", "again"), ("agent", "immediate")):
        for name in played.figures[one]:
            np.testing.assert_array_equal(played.figures[one][name], played.figures[other][name], err_msg=name)
    assert played.difference("immediate", "shortfall_ticks")[:4] == (0, 0, 0, 0)


def test_players_that_did_the_same_in_every_episode_are_said_with_the_reason(played, tmp_path):
    why = "both trade 3, 3, 3, 3 lots, decision by decision"
    assert played.same == {"immediate": "agent", "again": "twap"} and played.reasons == {"again": why}
    assert f"again did exactly what twap did in every episode: {why}" in played.warnings()
    assert "immediate did exactly what agent did in every episode" in played.warnings()
    save(played, tmp_path)
    assert load(tmp_path, known_measures()).warnings() == played.warnings() == evaluation(played)["warnings"]
    different = made_up(a=np.zeros(50), b=np.eye(50)[7])
    assert different.same == {} and "reasons" not in evaluation(different)


@pytest.mark.parametrize(
    ("starts", "said"), [(0, "simulated market's volume profile is flat"), (9, "measured volume profile is so even")]
)
def test_a_vwap_that_is_a_twap_says_why(starts, said):
    env = replace(simulated("execution"), starts=starts)
    twaps = twap(12, 4)
    assert said in why_same(env, {"twap": twaps, "vwap": vwap(12, np.full(4, 7.0))})
    assert why_same(env, {"twap": twaps, "vwap": vwap(12, np.array([1.0, 9.0, 1.0, 1.0]))}) == ""
    assert "profile" not in why_same(env, {"twap": twap(1, 4), "submit_and_leave": submit_and_leave(1, 4)})
    assert why_same(env, {"immediate": immediate(12, 4), "submit_and_leave": submit_and_leave(12, 4)}) == ""
    assert why_same(env, {"agent": Everything(), "immediate": immediate(12, 4)}) == ""


ODD_NAMES = [
    "a" * 80,
    "cost $5 and $x_1$",
    "<b>bold</b>",
    "[red]x[/red] [/]",
    "one_long_name_with_many_parts_" * 3,
    "$\\frac{$",
]


def test_odd_names_are_shown_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    comparison = made_up(**{name: rng.normal(0, 1, 50) for name in ODD_NAMES})
    save_figures(comparison, tmp_path)
    shown = [tick.get_text() for tick in differences(comparison).axes[0].get_yticklabels()]
    assert shown[0] == r"over cost \$5 and \$x_1\$" and shown[3].splitlines()[0] == "over one_long_name_with_"
    for text in (style.named(name) for name in ODD_NAMES):
        assert max(map(len, text.replace(r"\$", "$").splitlines())) <= 26 and text.count("\n") < 3
    assert style.named("a" * 80).endswith("a…") and style.named("twap") == "twap"
    console = Console(width=400, file=io.StringIO())
    console.print(table(comparison))
    assert all(name in console.file.getvalue() for name in ("[red]x[/red] [/]", "<b>bold</b>", "cost $5 and $x_1$"))


def test_figures_and_paths_agree(played):
    for player in played.players:
        left = played.paths[player]["inventory_lots"]
        assert left.shape == (EPISODES.count, 5)
        assert (left[:, 0] == 12).all() and (left[:, -1] == 0).all() and (np.diff(left, axis=1) <= 0).all()
    sold_early = 1 - played.paths["twap"]["inventory_lots"][:, -2] / 12
    assert (sold_early <= played.figures["twap"]["fill_rate"] + 1e-6).all()
    assert (played.paths["twap"]["volume_lots"] >= 0).all()


def test_saved_and_loaded(played, tmp_path):
    save(played, tmp_path)
    save_figures(played, tmp_path)
    found = load(tmp_path, known_measures())
    assert found.players == played.players and found.episodes == played.episodes
    assert evaluation(found) == evaluation(played) == json.loads((tmp_path / "evaluation.json").read_text())
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"differences.png", "distributions.png"}
    assert table(found).row_count == len(TASKS["execution"].measures.metrics) + 1
    (tmp_path / "episodes.parquet").write_bytes(b"torn")
    with pytest.raises(InputError, match="not a whole Parquet file"):
        load(tmp_path, known_measures())


def test_strategies_of_a_class_are_compiled_once():
    env = simulated("execution")
    watch = chex.assert_max_traces(lambda state: {}, n=2)  # at the opening and in the loop, of one program
    evaluator = Evaluator(env, env.default_params, Episodes(count=4, seed=0), watch)
    for player in strategies(env, env.default_params, ("twap", "submit_and_leave", "immediate")).values():
        assert len(evaluator.play(player).final["episode_length"]) == 4


def test_progress_counts_episodes():
    env = simulated("execution")
    seen = []
    compare(env, env.default_params, {"twap": twap(12, 4)}, EPISODES, lambda *now: seen.append(now))
    assert seen == [("twap", 16), ("twap", 24)]
    with pytest.raises(ValueError, match="nobody"):
        compare(env, env.default_params, {}, EPISODES)


def test_an_episode_is_the_same_in_any_batch():
    env = simulated("market_making")
    player = next(iter(strategies(env, env.default_params).values()))
    one, other = (compare(env, env.default_params, {"x": player}, Episodes(count=6, seed=2, batch=b)) for b in (6, 4))
    jax.tree.map(np.testing.assert_array_equal, one.figures, other.figures)
