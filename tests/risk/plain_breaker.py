"""The circuit breaker of the contract once more, in plain Python and exact fractions: the independent opinion."""

from fractions import Fraction


class PlainBreaker:
    """One breaker; `config` maps the names of the contract to numbers or decimal texts."""

    def __init__(self, config):
        self.config = {name: Fraction(str(value)) for name, value in config.items()}
        self.state, self.reason, self.trips, self.session = "RUN", "", 0, None

    def tick(self, time, equity, session, data_age, errors):
        c, equity = self.config, Fraction(equity)
        if self.session is None:
            self.peak = self.opened = equity
            self.session = session
        if session != self.session:
            self.session, self.opened, self.trips = session, equity, 0
        self.peak = max(self.peak, equity)
        stale, faulty = data_age > c["max_age"], errors >= c["max_errors"]
        if self.state in ("RUN", "COOL"):
            reason = self._reason(equity, stale, faulty)
            if reason:
                self.trips += 1
                self.reason, self.since = reason, time
                self.until = time + c["cooldown"] * 2 ** (self.trips - 1)
                self.state = "KILL" if self.trips >= c["max_trips"] else "HALT"
            elif self.state == "COOL" and time - self.since >= c["probation"]:
                self.state, self.reason = "RUN", ""
        elif self.state == "HALT" and time >= self.until and not stale and not faulty:
            self.state, self.since = "COOL", time
            self.peak = self.opened = equity
        return self.state, self.reason, self.trips

    def _reason(self, equity, stale, faulty):
        if stale:
            return "stale"
        if faulty:
            return "errors"
        if 1 - equity / self.opened >= self.config["session_loss"]:
            return "session_loss"
        if 1 - equity / self.peak >= self.config["drawdown"]:
            return "drawdown"
        return ""
