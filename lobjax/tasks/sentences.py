"""The sentences of a report on a task in a market of messages, from what run.json says."""

from collections.abc import Mapping
from typing import Any

from lobjax.flow import FLOWS
from lobjax.results import Comparison
from lobjax.tasks.words import Words, number


def title(about: dict[str, Any], words: Words) -> str:
    """What was done where, in a line."""
    flow = about["backtest"]["env"]["flow"]
    where = f"on a recorded day ({record_name(flow)})" if flow["kind"] == "recorded" else "in a simulated market"
    return f"{words.title or about['task']} {where}"


def subtitle(about: dict[str, Any], comparison: Comparison) -> str:
    """How much was played."""
    return f"{comparison.count} episodes, each played by {', '.join(comparison.players)}; seed {about['seed']}."


def what_was_traded(about: dict[str, Any], words: Words) -> list[str]:
    """The task and the flow, in sentences."""
    env = about["backtest"]["env"]
    return [words.job(env["task"]), FLOWS[env["flow"]["kind"]].told(env["flow"])]


def market_facts(about: dict[str, Any], words: Words) -> list[tuple[str, str]]:
    """Settings that a reader may ask for."""
    backtest, env = about["backtest"], about["backtest"]["env"]
    market, flow = env["market"], env["flow"]
    delay_ms = (market["feed_delay_ns"] + market["order_delay_ns"]) / 1e6
    found = [
        *([("the agent's prices", words.prices(env["task"]))] if words.prices else []),
        ("fees", _fees(market["maker_fee_milliticks"], market["taker_fee_milliticks"])),
        ("latency", f"{number(delay_ms)} ms from the market to the player and back" if delay_ms else "none"),
        ("orders a side", f"at most {market['capacity']} in the book"),
    ]
    if about.get("policy"):
        found.insert(0, ("agent", about["policy"]))
    found += words.facts(backtest)
    if flow["kind"] == "recorded":
        found.append(("record", flow["path"]))
    return found


def independence(about: dict[str, Any]) -> str:
    """What the intervals assume."""
    if about["backtest"]["env"]["flow"]["kind"] == "recorded":
        return (
            "The intervals treat windows as independent; those of one day share its mood, so they are somewhat too narrow, and they "
            "say nothing of other days."
        )
    return "Episodes are drawn independently."


def inventory_caption(words: Words) -> str:
    """What the bands are."""
    return f"{words.held} at each decision: mean over episodes, the middle half (dark) and nine tenths (light) of them."


def detail(about: dict[str, Any], comparison: Comparison) -> str:
    """Which episode is shown, and whether it is one of the table's."""
    number, same = about["detail"]["episode"], about["detail"]["same_as_table"]
    chosen = (
        f"Episode {number}, in which the {comparison.headline.label} of {comparison.first} was nearest to its median."
    )
    if same:
        return chosen
    return (
        f"{chosen} It begins as the one in the table did; as the market is looked at within steps, its chance events are drawn "
        "anew and it goes another way."
    )


def episode_caption(words: Words) -> str:
    """How to read the episode."""
    below = words.held[:1].lower() + words.held[1:]
    return (
        "Above: best ask and best bid, the agent's own waiting orders (thicker for more lots) and its trades (filled: its order was "
        f"waiting; hollow: it traded at once; larger for more lots). Below: {below}."
    )


def market_caption(about: dict[str, Any], comparison: Comparison) -> str:
    """What the market figure shows."""
    if about["backtest"]["env"]["flow"]["kind"] == "recorded":
        return "The spread when each window opens, before anybody has acted in it, and the lots that others than the players then trade."
    return (
        f"Mean spread at decisions with nine tenths of the episodes (orders of {comparison.first} are in the book), and mean lots that "
        "others traded in each step."
    )


def provenance(about: dict[str, Any]) -> list[tuple[str, str]]:
    """All that is needed to do it again."""
    found = [
        ("command", about["command"]),
        ("seed", str(about["seed"])),
        ("commit", about["commit"]),
        ("versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())),
        ("device", ", ".join(f"{name} {value}" for name, value in about["device"].items())),
    ]
    return [*found, *((f"sha256 of {name}", digest) for name, digest in about["data"].items())]


def record_name(flow: Mapping[str, Any]) -> str:
    """The file or folder of a recorded flow."""
    return flow["path"].rstrip("/").split("/")[-1]


def _fees(maker: int, taker: int) -> str:
    if maker == taker == 0:
        return "none"
    return f"for a lot traded while waiting {_fee(maker)}, for one traded at once {_fee(taker)}"


def _fee(milliticks: int) -> str:
    ticks = number(abs(milliticks) / 1000)
    return "nothing" if milliticks == 0 else f"{ticks} ticks" if milliticks > 0 else f"{ticks} ticks back (a rebate)"
