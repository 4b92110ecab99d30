"""Candles as columns: the one shape in which candle files, the generated market and the backtest hand candles on."""

from dataclasses import dataclass, fields
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

Times: TypeAlias = npt.NDArray[np.int64]
Amounts: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CandleArrays:
    """Candles of one market, oldest first, one array per column and one element per candle.

    The arrays are one-dimensional, of one length, contiguous, and read-only here: two threads may read the same
    candles. Whoever makes a `CandleArrays` answers for the order of the times and the sense of the prices;
    `gridbot.adapters.market_files.candle_files.load_candles` checks both.

    Attributes:
        open_time: int64, milliseconds UTC, strictly rising.
        open, high, low, close: float64, quote currency per 1 base.
        volume: float64, base currency.
    """

    open_time: Times
    open: Amounts
    high: Amounts
    low: Amounts
    close: Amounts
    volume: Amounts

    def __post_init__(self) -> None:
        length = self.open_time.size
        for field in fields(self):
            column: npt.NDArray[np.generic] = getattr(self, field.name)
            wanted = np.int64 if field.name == "open_time" else np.float64
            if column.dtype != wanted or column.ndim != 1 or column.size != length or not column.flags.c_contiguous:
                raise ValueError(
                    f"{field.name} must be a contiguous {wanted.__name__} array of {length} candles, "
                    f"not {column.dtype} of shape {column.shape}"
                )
            kept = column.view()
            kept.flags.writeable = False
            object.__setattr__(self, field.name, kept)

    def __len__(self) -> int:
        return int(self.open_time.size)

    @property
    def timeframe_ms(self) -> int:
        """The base timeframe: the smallest step between two open times, in milliseconds. Reads the whole column.

        Raises:
            ValueError: there are fewer than two candles, so there is no step.
        """
        return int(self._steps().min())

    @property
    def gaps(self) -> int:
        """The number of places where the next candle comes later than one timeframe. Needs two candles."""
        steps = self._steps()
        return int(np.count_nonzero(steps > steps.min()))

    @property
    def missing(self) -> int:
        """How many whole candles would fit into the gaps. Needs two candles."""
        steps = self._steps()
        step = steps.min()
        late = steps[steps > step]
        return int((late // step - 1).sum())

    def slice(self, start: int, stop: int) -> Self:
        """Return candles `start` up to but not including `stop`, as views: nothing is copied."""
        return type(self)(
            open_time=self.open_time[start:stop],
            open=self.open[start:stop],
            high=self.high[start:stop],
            low=self.low[start:stop],
            close=self.close[start:stop],
            volume=self.volume[start:stop],
        )

    def _steps(self) -> Times:
        if len(self) < 2:
            raise ValueError(f"a timeframe takes at least two candles, there are {len(self)}")
        return np.diff(self.open_time)
