"""A recorded market from a file that may hold candles or trades: its columns tell which."""

from pathlib import Path

from gridbot.adapters.market_files.candle_files import CANDLES, load_candles
from gridbot.adapters.market_files.columns import column_names
from gridbot.adapters.market_files.trade_files import TRADES, load_trades
from gridbot.core.units import Symbol
from gridbot.errors import CandleFileError
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays


def load_recording(path: Path, symbol: Symbol) -> CandleArrays | tuple[TradePrint, ...]:
    """Read a file of candles or of trades of the market `symbol`. A file that has the columns of both is candles.

    Raises:
        CandleFileError: the file is neither, or holds something that cannot be true.
    """
    found = set(column_names(path, CANDLES))
    if found.issuperset(CANDLES.names):
        return load_candles(path)
    if found.issuperset(TRADES.names):
        return load_trades(path, symbol)
    lacks = (", ".join(name for name in layout.names if name not in found) for layout in (CANDLES, TRADES))
    raise CandleFileError(
        "{} is neither a candle file (it lacks {}) nor a trade file (it lacks {}).".format(path, *lacks),
        hint=f"{CANDLES.hint} {TRADES.hint}",
    )
