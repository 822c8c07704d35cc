"""Markets: agents' messages and the flow's, one book, exact accounts."""

from lobjax.market.accounts import Accounts, Fees
from lobjax.market.market import Market
from lobjax.market.risk import Limits
from lobjax.market.state import MarketParams, MarketState, Orders

__all__ = ["Accounts", "Fees", "Limits", "Market", "MarketParams", "MarketState", "Orders"]
