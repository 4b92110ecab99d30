"""Bars, ATR, EMA, trend, spike and breaker of the strategy's section 2, each kept as a whole list of closed values."""

from __future__ import annotations

from dataclasses import dataclass, field

from .rules import Rules

SPIKE_WINDOW = 30
BREAKER_CALM_ATR = 1.5
BREAKER_CALM_BARS = 12


@dataclass
class Bar:
    """One bar of a higher timeframe while it is being built; `opened` is in milliseconds."""

    opened: int
    high: float
    low: float
    close: float


@dataclass
class BarBuilder:
    """Collects base candles into bars of one timeframe, aligned to the epoch."""

    length_ms: int
    base_ms: int
    unfinished: Bar | None = None

    def add(self, opened: int, high: float, low: float, close: float) -> list[Bar]:
        """Take a closed base candle and return the bars that close with it, oldest first."""
        closed = []
        start = opened - opened % self.length_ms
        if self.unfinished is not None and self.unfinished.opened != start:
            closed.append(self.unfinished)
            self.unfinished = None
        if self.unfinished is None:
            self.unfinished = Bar(start, high, low, close)
        else:
            self.unfinished.high = max(self.unfinished.high, high)
            self.unfinished.low = min(self.unfinished.low, low)
            self.unfinished.close = close
        if opened + self.base_ms >= start + self.length_ms:
            closed.append(self.unfinished)
            self.unfinished = None
        return closed


@dataclass
class Volatility:
    """The signal timeframe: ATR values, the spike and the circuit breaker."""

    rules: Rules
    previous_close: float | None = None
    true_ranges: list[float] = field(default_factory=list)
    atrs: list[float] = field(default_factory=list)
    spike: bool = False
    breaker_open: bool = False
    remembered: float = 0.0
    quiet_bars: int = 0

    def close_bar(self, bar: Bar) -> None:
        """Take the next closed bar of the signal timeframe."""
        before, self.previous_close = self.previous_close, bar.close
        if before is None:
            return
        true_range = max(bar.high - bar.low, abs(bar.high - before), abs(bar.low - before))
        self.true_ranges.append(true_range)
        n = self.rules.atr_period
        if len(self.true_ranges) < n:
            return
        if len(self.true_ranges) == n:
            self.atrs.append(sum(self.true_ranges) / n)
        else:
            self.atrs.append((self.atrs[-1] * (n - 1) + true_range) / n)
        if len(self.atrs) >= SPIKE_WINDOW:
            window = self.atrs[-SPIKE_WINDOW:]
            self.spike = self.atrs[-1] > self.rules.spike_multiple * (sum(window) / SPIKE_WINDOW)
        if len(self.atrs) >= 2:
            self._judge_jump(previous=self.atrs[-2], newest=self.atrs[-1])

    def _judge_jump(self, *, previous: float, newest: float) -> None:
        jump = newest > 0 if previous == 0 else abs(newest / previous - 1) > self.rules.atr_jump
        if jump:
            if not self.breaker_open:
                self.breaker_open = True
                self.remembered = previous
            self.quiet_bars = 0
        elif self.breaker_open:
            self.quiet_bars += 1
            if newest <= BREAKER_CALM_ATR * self.remembered or self.quiet_bars >= BREAKER_CALM_BARS:
                self.breaker_open = False


@dataclass
class Trend:
    """The trend timeframe: closes, two EMAs and the direction."""

    rules: Rules
    closes: list[float] = field(default_factory=list)
    fast: float | None = None
    slow: float | None = None
    direction: str = "neutral"

    def close_bar(self, bar: Bar) -> None:
        """Take the next closed bar of the trend timeframe."""
        self.closes.append(bar.close)
        self.fast = self._ema(self.fast, self.rules.ema_fast)
        self.slow = self._ema(self.slow, self.rules.ema_slow)
        if self.fast is None or self.slow is None:
            return
        ratio = self.fast / self.slow - 1
        enter = self.rules.threshold
        stay = enter / 2
        if self.direction == "up" and ratio >= stay:
            return
        if self.direction == "down" and ratio <= -stay:
            return
        if ratio > enter:
            self.direction = "up"
        elif ratio < -enter:
            self.direction = "down"
        else:
            self.direction = "neutral"

    def _ema(self, previous: float | None, n: int) -> float | None:
        if len(self.closes) < n:
            return None
        if previous is None:
            return sum(self.closes[:n]) / n
        return previous + 2 / (n + 1) * (self.closes[-1] - previous)


@dataclass
class Signals:
    """Everything that closed bars say, fed one base candle at a time."""

    rules: Rules
    base_ms: int
    signal_closed: bool = False

    def __post_init__(self) -> None:
        """Refuse a base timeframe that does not divide the others."""
        for length in (self.rules.signal_ms, self.rules.trend_ms):
            if length % self.base_ms:
                raise ValueError(f"candles of {self.base_ms} ms do not divide a timeframe of {length} ms")
        self.volatility = Volatility(self.rules)
        self.trend = Trend(self.rules)
        self._signal_bars = BarBuilder(self.rules.signal_ms, self.base_ms)
        self._trend_bars = BarBuilder(self.rules.trend_ms, self.base_ms)

    def close_candle(self, opened: int, high: float, low: float, close: float) -> None:
        """Take a closed base candle; `signal_closed` then says whether a signal bar closed with it."""
        signal_bars = self._signal_bars.add(opened, high, low, close)
        for bar in signal_bars:
            self.volatility.close_bar(bar)
        for bar in self._trend_bars.add(opened, high, low, close):
            self.trend.close_bar(bar)
        self.signal_closed = bool(signal_bars)

    @property
    def ready(self) -> bool:
        """True as soon as 30 ATR values exist and the slow EMA has a value."""
        return len(self.volatility.atrs) >= SPIKE_WINDOW and self.trend.slow is not None

    @property
    def last_slot(self) -> int:
        """Section 3: the number of the last slot that may be bought."""
        if self.volatility.breaker_open:
            return 0
        return self.rules.policy[self.trend.direction, "spike" if self.volatility.spike else "calm"]
