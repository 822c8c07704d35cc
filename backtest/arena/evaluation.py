"""An arena evaluated: payoffs of every mixture, who ranks where, what players did, what venues were like, and what each role adds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.arena.cast import Cast, Profile, profiles
from backtest.arena.episodes import Played, play, program, without
from backtest.arena.markets import MEASURES
from backtest.arena.ranking import standings
from backtest.arena.resampling import Estimate, Resampled, mean, percentiles
from backtest.arena.seats import FIGURES, Seats, of_seats, sums
from lobjax.errors import InputError

DRAWS = 2000
_RESAMPLING_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How much is played."""

    episodes: int
    seed: int
    batch: int


@dataclass(frozen=True)
class Evaluation:
    """All worlds that were played, and what they say."""

    cast: Cast
    settings: Settings
    profiles: list[Profile]
    worlds: list[Played]  # of each mixture
    forks: dict[str, Played]  # of the first mixture, without each group
    resampled: Resampled

    def seats(self, group: Any, member: int) -> list[Seats]:
        """What a player did in each mixture that it is part of."""
        mine = [
            (world, profile.seats_of(group, member)) for profile, world in zip(self.profiles, self.worlds, strict=True)
        ]
        return [of_seats(world, seats) for world, seats in mine if seats]


def evaluate(cast: Cast, settings: Settings, tell: Callable[[str, int, int], None]) -> Evaluation:
    """Play everything; `tell` hears what is played next, how much has been, and of how much. InputError where `max_messages` was hit."""
    run, params, found = program(cast), cast.arena.default_params, profiles(cast)
    groups = [group for group in cast.arena.groups if len(cast.arena.groups) > 1]
    worlds, forks, total = [], {}, len(found) + len(groups)

    def one(title: str, choice: tuple[int, ...], params: Any) -> Played:
        tell(title, len(worlds) + len(forks), total)
        played = play(run, choice, params, settings.seed, settings.episodes, settings.batch)
        if played.late:
            raise InputError(f"arena.max_messages: {played.late} steps had more messages than it allows; raise it")
        return played

    for profile in found:
        worlds.append(one(profile.title(cast), profile.choice, params))
    for group in groups:
        forks[group.name] = one(f"without {group.name}", found[0].choice, without(params, group.accounts))
    return Evaluation(cast, settings, found, worlds, forks, Resampled(settings.episodes, DRAWS, _RESAMPLING_SEED))


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """Everything as plain numbers, for JSON; of each estimate the value with the ends of its 95% interval."""
    return {
        "episodes": evaluation.settings.episodes,
        "seed": evaluation.settings.seed,
        "players": {group.name: evaluation.cast.names(group) for group in evaluation.cast.arena.groups},
        "venue_of": {group.name: group.venue for group in evaluation.cast.arena.groups},
        "payoffs": _payoffs(evaluation),
        "ranking": _ranking(evaluation),
        "figures": _figures(evaluation),
        "markets": _markets(evaluation),
        "without": _without(evaluation),
    }


def payoff(evaluation: Evaluation, world: Played, profile: Profile, group: Any, member: int) -> Estimate:
    """Profit of a player's seat in ticks, in one mixture."""
    values = of_seats(world, profile.seats_of(group, member))["profit_ticks"]
    return evaluation.resampled.estimate(mean, np.stack([values, np.ones_like(values)], axis=-1))


def _payoffs(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Of every mixture, who sits where and what a seat of each player earns."""
    cast, rows = evaluation.cast, []
    for profile, world in zip(evaluation.profiles, evaluation.worlds, strict=True):
        seats, earned = {}, {}
        for group in cast.arena.groups:
            mine = {name: len(profile.seats_of(group, at)) for at, name in enumerate(cast.names(group))}
            seats[group.name] = {name: count for name, count in mine.items() if count}
            earned[group.name] = {
                name: payoff(evaluation, world, profile, group, at).plain()
                for at, name in enumerate(cast.names(group)) if mine[name]
            }  # fmt: skip
        rows.append({"mixture": profile.title(cast), "seats": seats, "profit_ticks": earned})
    return rows


def _ranking(evaluation: Evaluation) -> dict[str, Any]:
    """By alpha-rank of the mixtures in which all seats of a group play alike."""
    cast, groups = evaluation.cast, evaluation.cast.arena.groups
    sizes = tuple(len(cast.names(group)) for group in groups)
    values = np.zeros((*sizes, len(groups), evaluation.settings.episodes))
    for profile, world in zip(evaluation.profiles, evaluation.worlds, strict=True):
        if profile.pure is not None:
            values[profile.pure] = [
                of_seats(world, [account - 1 for account in group.accounts])["profit_ticks"] for group in groups
            ]
    drawn = evaluation.resampled.means(np.moveaxis(values, -1, 0))
    found = standings(values.mean(-1), drawn, percentiles)
    return {
        group.name: {name: standing._asdict() for name, standing in zip(cast.names(group), own, strict=True)}
        for group, own in zip(groups, found, strict=True)
    }


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    """Of every player, over all mixtures that it is part of; a seat's mean."""
    cast, resampled = evaluation.cast, evaluation.resampled
    return {
        group.name: {
            name: {
                key: resampled.estimate(figure.statistic, sums(figure, evaluation.seats(group, at))).plain()
                for key, figure in FIGURES.items()
            }
            for at, name in enumerate(cast.names(group))
        }
        for group in cast.arena.groups
    }


def _markets(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Of every venue, in the first mixture."""
    world, rows = evaluation.worlds[0], []
    whole = {key: measure.sums(world) for key, measure in MEASURES.items()}
    for venue in range(evaluation.cast.arena.venues):
        row: dict[str, Any] = {
            key: evaluation.resampled.estimate(measure.statistic, whole[key][:, venue]).plain()
            for key, measure in MEASURES.items()
        }
        rows.append(
            row | {f"{name}_per_episode": float(count[:, venue].mean()) for name, count in world.counts.items()}
        )
    return rows


def _without(evaluation: Evaluation) -> dict[str, Any]:
    """What each group adds: the first mixture less the same without the group, paired by episode."""
    world, cast, resampled, found = evaluation.worlds[0], evaluation.cast, evaluation.resampled, {}
    whole = {key: measure.sums(world) for key, measure in MEASURES.items()}
    for name, fork in evaluation.forks.items():
        apart = {key: measure.sums(fork) for key, measure in MEASURES.items()}
        venues = [
            {
                key: resampled.difference(measure.statistic, whole[key][:, v], apart[key][:, v]).plain()
                for key, measure in MEASURES.items()
            }
            for v in range(cast.arena.venues)
        ]
        others = {}
        for group in cast.arena.groups:
            if group.name != name:
                seats = [account - 1 for account in group.accounts]
                with_it, alone = (
                    np.stack([of_seats(each, seats)["profit_ticks"], np.ones(each.count)], axis=-1)
                    for each in (world, fork)
                )
                others[group.name] = resampled.difference(mean, with_it, alone).plain()
        found[name] = {"venues": venues, "profit_ticks_of_others": others}
    return found
