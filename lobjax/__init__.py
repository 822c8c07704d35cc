"""lobjax: thousands of real limit order books on one device, the flow that moves them and the agents that trade in them."""

from lobjax import caching, forking

caching.set_up()
forking.watch()
