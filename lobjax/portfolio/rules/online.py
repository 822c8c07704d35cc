"""Online rules of portfolio selection by name: how each is made for `N` assets. Defaults are the papers'."""

from collections.abc import Callable

from lobjax.portfolio.rules.anticor import AnticorTwice, anticor_bah
from lobjax.portfolio.rules.base import Online
from lobjax.portfolio.rules.cwmr import CwmrStdev, CwmrVar
from lobjax.portfolio.rules.following import Eg, Ons, Ubah, Ucrp
from lobjax.portfolio.rules.reversion import Olmar1, Olmar2, Pamr, Rmr
from lobjax.registry import Registry

ONLINE: Registry[Callable[[int], Online]] = Registry(
    "rule",
    {
        "ubah": Ubah,
        "ucrp": Ucrp,
        "eg": Eg,
        "ons": Ons,
        "pamr": Pamr,
        "pamr1": lambda assets: Pamr(assets, variant=1),
        "pamr2": lambda assets: Pamr(assets, variant=2),
        "cwmr_var": CwmrVar,
        "cwmr_stdev": CwmrStdev,
        "olmar1": Olmar1,
        "olmar2": Olmar2,
        "rmr": Rmr,
        "anticor": AnticorTwice,  # what the papers' tables call so: BAH_30(ANTICOR(ANTICOR))
        "anticor_bah30": anticor_bah,  # one layer: BAH_30(ANTICOR)
    },
)
