"""Words that the report uses, for readers who do not know them."""

GLOSSARY = {
    "lot": "The unit of size: one share, one contract.",
    "tick": "The smallest step of a price; on US shares one cent.",
    "order book": "All orders waiting to be traded, by price; at one price the oldest comes first.",
    "best bid, best ask": "The highest price at which somebody waits to buy, the lowest at which somebody waits to sell.",
    "spread": "Best ask less best bid: what it costs to buy and sell at once.",
    "mid": "Half way between best bid and best ask; a price that favours neither side.",
    "limit order": "An order to trade at a given price or better; what does not trade at once waits in the book.",
    "market order": "An order to trade at once at whatever price is there.",
    "maker, taker": "The side of a trade that was waiting, and the side that came and traded at once. Venues charge them different fees.",
    "arrival": "The moment at which an episode begins: the order to execute is given, or quoting starts.",
    "implementation shortfall": "How much worse the average lot was traded than the mid at arrival. It is what executing the order cost.",
    "deadline": "The end of an episode: the venue cancels what is still waiting and trades the rest at market.",
    "TWAP": "Time-weighted: equal parts of the order at equal times, each as a limit order that is left there.",
    "VWAP": "Volume-weighted: as TWAP, but in parts that follow how much usually trades, measured on other hours or episodes.",
    "submit and leave": "The whole order as one limit order at the best price of its own side, left until the deadline.",
    "immediate": "The whole order at market, at once.",
    "symmetric quoter": "A market maker that always quotes the same distance behind the best bid and the best ask; "
    "`symmetric_1` stands one tick behind, `symmetric_-1` improves by one.",
    "95% interval": "Were the whole evaluation repeated with new episodes many times, 95 of 100 such intervals would hold the true mean. "
    "It knows nothing of other days, other stocks or other markets.",
    "common random numbers": "Episode 1 is the same market for every player, so is episode 2, and so on. Luck that all share cancels in "
    "the difference between two players; so small differences can be seen.",
    "paired difference": "The difference between two players in the same episode; its mean and interval are over episodes.",
}
