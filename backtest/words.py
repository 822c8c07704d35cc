"""The report's sentences, from what run.json says."""

from typing import Any

from lobjax.results import Comparison


def title(about: dict[str, Any]) -> str:
    """What was done where, in a line."""
    flow = about["backtest"]["env"]["flow"]
    where = f"on a recorded day ({_name(flow)})" if flow["kind"] == "recorded" else "in a simulated market"
    return f"{'Execution' if about['task'] == 'execution' else 'Market making'} {where}"


def subtitle(about: dict[str, Any], comparison: Comparison) -> str:
    """How much was played."""
    return f"{comparison.count} episodes, each played by {', '.join(comparison.players)}; seed {about['seed']}."


def what_was_traded(about: dict[str, Any]) -> list[str]:
    """The task and the flow, in sentences."""
    env = about["backtest"]["env"]
    task, flow = env["task"], env["flow"]
    length = _number(task["decisions"] * task["step_s"])
    if task["kind"] == "execution":
        job = (
            f"Each episode begins with an order to {task['side']} {task['lots']} lots within {length} seconds. Every "
            f"{_number(task['step_s'])} seconds, {task['decisions']} times in all, a player decides how much to trade at once, how much to "
            "leave waiting in the order book and at which prices, and how much to hold back. When time is up, the venue cancels what is "
            "still waiting and trades the rest at whatever price is there."
        )
    else:
        job = (
            f"In each episode of {length} seconds a player offers to buy and to sell {task['quote_lots']} lots, and every "
            f"{_number(task['step_s'])} seconds chooses anew how far from the best prices. It may hold at most "
            f"{task['inventory_limit_lots']} lots, long or short. At the end the venue closes its position at market."
        )
    if flow["kind"] == "recorded":
        market = (
            f"The market is a record of real order flow, message by message, from {flow['from_time']} to {flow['until_time']}, cut into "
            f"windows that do not overlap; each is played once. The players' orders are real to the book: they wait in the queue, are "
            "traded against and take liquidity away. But the record goes on as it was: nobody in it answers to what a player did, so "
            "results flatter large and aggressive orders."
        )
    else:
        market = (
            "The market is simulated: limit orders, market orders and cancellations arrive at random, at rates that depend on the distance "
            "from the best prices. It reacts to the players through the order book alone."
        )
    return [job, market]


def market_facts(about: dict[str, Any]) -> list[tuple[str, str]]:
    """Settings that a reader may ask for."""
    backtest, env = about["backtest"], about["backtest"]["env"]
    market, task, flow = env["market"], env["task"], env["flow"]
    offsets = ", ".join(f"{tick:+d}" for tick in task["offsets_ticks"])
    if task["kind"] == "execution":
        anchor = {"opposite": "the best price of the other side", "same": "the best price of the own side"}[
            task["reference"]
        ]
        levels = f"{offsets} ticks from {anchor} (away from the other side is positive)"
    else:
        levels = f"{offsets} ticks behind the best price of each side"
    delay_ms = (market["feed_delay_ns"] + market["order_delay_ns"]) / 1e6
    found = [
        ("the agent's prices", levels),
        ("fees", _fees(market["maker_fee_milliticks"], market["taker_fee_milliticks"])),
        ("latency", f"{_number(delay_ms)} ms from the market to the player and back" if delay_ms else "none"),
        ("orders a side", f"at most {market['capacity']} in the book"),
    ]
    if about.get("policy"):
        found.insert(0, ("agent", about["policy"]))
    if backtest["profile"] and backtest["profile"]["kind"] == "recorded" and task["kind"] == "execution":
        profile = backtest["profile"]
        found.append(
            ("VWAP's profile", f"measured from {profile['from_time']} to {profile['until_time']} of {_name(profile)}")
        )
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


def inventory_caption(about: dict[str, Any]) -> str:
    """What the bands are."""
    what = "What is left of the order" if about["task"] == "execution" else "The position"
    return f"{what} at each decision: mean over episodes, the middle half (dark) and nine tenths (light) of them."


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


def episode_caption(about: dict[str, Any]) -> str:
    """How to read the episode."""
    below = "what is left of the order" if about["task"] == "execution" else "the position"
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


def _name(flow: dict[str, Any]) -> str:
    return flow["path"].rstrip("/").split("/")[-1]


def _fees(maker: int, taker: int) -> str:
    if maker == taker == 0:
        return "none"
    return f"for a lot traded while waiting {_fee(maker)}, for one traded at once {_fee(taker)}"


def _fee(milliticks: int) -> str:
    ticks = _number(abs(milliticks) / 1000)
    return "nothing" if milliticks == 0 else f"{ticks} ticks" if milliticks > 0 else f"{ticks} ticks back (a rebate)"


def _number(value: float) -> str:
    return f"{value:g}"
