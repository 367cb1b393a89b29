"""An endpoint as a request uses it: where it is, where pictures lie on their way, how hard it may be driven."""

from dataclasses import dataclass

from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.data import DataApi
from rotoscope.algorithmia.spending import Prices

DEFAULT_PRICES = "algorithmia"


@dataclass(frozen=True)
class Endpoint:
    """An Algorithmia endpoint.

    scratch: a directory of its data API, or of a connector, for pictures on their way; calls_at_once, batch_frames: the
    most that are tried; grace: seconds in which a call that was lost may still finish; prices: of include/prices.
    """

    client: Client
    scratch: str = "data://.my"
    calls_at_once: int = 16
    batch_frames: int = 20
    grace: float = 20.0
    price_list: str = DEFAULT_PRICES

    @property
    def data(self) -> DataApi:
        return DataApi(self.client)

    @property
    def prices(self) -> Prices:
        return Prices.named(self.price_list)
