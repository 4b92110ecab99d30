"""The law of the generated market: a pure function from (state, day, seed) to one day of minutes and the next state.

The logarithm of the price, relative to where the market starts, is `level + swing`:

* `level` is the slow part. Its drift is set by a Markov chain of regimes, rising, flat or falling, each lasting days
  (Hamilton 1989); rare jumps hit it (Merton 1976); and it is drawn home very slowly, so that a market which runs for
  centuries neither dies nor explodes.
* `swing` is an Ornstein-Uhlenbeck process with a half-life of hours: the to and fro that a grid lives on. It makes the
  variance of a day about half of what a random walk with the same minutes would have. Real markets lean the same
  way, less strongly.
* Both move with one volatility, the exponential of two Ornstein-Uhlenbeck processes, one with a half-life of days, one
  of under an hour (two-factor log-volatility: Alizadeh, Brandt and Diebold 2002), times the shape of the day and the
  week: liveliest in the afternoon UTC, quieter at weekends. This gives clusters and fat tails.
* A minute's high and low are drawn from the exact law of the extremes of a Brownian bridge from its open to its close
  (Glasserman 2004, section 6.4), each by itself.
* Volume is log-normal and grows with volatility and with the size of the minute's move (the mixture of distributions
  hypothesis: Clark 1973, Tauchen and Pitts 1983).

Parameters were fitted by eye and figure to one-minute candles of BTC/USDT in 2025 and BTC/USD in 2018: true range of
four hours about 1 % of the price, excess kurtosis of minute returns 10 to 50, autocorrelation of absolute returns 0.2
to 0.3 after ten minutes and about 0.1 after a day, drawdowns of 20 to 40 % in half a year.

Sources: J. D. Hamilton, Econometrica 57 (1989); R. C. Merton, Journal of Financial Economics 3 (1976); S. Alizadeh,
M. W. Brandt, F. X. Diebold, Journal of Finance 57 (2002); P. Glasserman, *Monte Carlo Methods in Financial Engineering*
(2004); P. K. Clark, Econometrica 41 (1973); G. E. Tauchen, M. Pitts, Econometrica 51 (1983).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MINUTES_PER_DAY = 1440
_DAYS_PER_WEEK = 7
_SATURDAY = 5
"""Day 0 of the market is a Monday."""
_SHORTEST_HALF_LIFE = 30
"""Minutes; `_autoregression` divides by the decay of a whole day, which would lose its digits if that were smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A mood of the market.

    Attributes:
        drift: change of the logarithm of the price in one day.
        liveliness: factor on the volatility.
        mean_days: how long it lasts on average, in days.
    """

    drift: float
    liveliness: float
    mean_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The parameters of the process. Half-lives are in minutes, spreads are stationary standard deviations.

    Attributes:
        minute_volatility: standard deviation of a minute's log return when every factor is 1.
        slow_spread, slow_half_life: the slow factor of the logarithm of the volatility.
        fast_spread, fast_half_life: the fast one.
        swing_share: share of the volatility that goes into the swing, 0 to 1; squares of the shares add up to 1.
        swing_half_life: how fast a swing is taken back.
        home_half_life: how fast the level is drawn back to where the market started.
        jumps_per_day, jump_spread: the rate of jumps and the standard deviation of one, as a log return.
        day_shape: how far the volatility of the liveliest minute lies above the mean of the day.
        liveliest_minute: minute of the day, UTC.
        weekend: factor on the volatility on Saturday and Sunday.
        volume_spread: standard deviation of the logarithm of the volume that neither move nor volatility explains.
        volume_per_move: how much the logarithm of the volume grows with a move of one standard deviation.
        regimes: the moods; from each the market goes to any other with the same chance.
    """

    minute_volatility: float = 0.00044
    slow_spread: float = 0.30
    slow_half_life: float = 3 * 1440.0
    fast_spread: float = 0.35
    fast_half_life: float = 45.0
    swing_share: float = 0.9
    swing_half_life: float = 300.0
    home_half_life: float = 400 * 1440.0
    jumps_per_day: float = 1.0
    jump_spread: float = 0.005
    day_shape: float = 0.35
    liveliest_minute: int = 930
    weekend: float = 0.8
    volume_spread: float = 0.7
    volume_per_move: float = 0.4
    regimes: tuple[Regime, ...] = (
        Regime(drift=0.007, liveliness=1.0, mean_days=6.0),
        Regime(drift=0.0, liveliness=0.9, mean_days=4.0),
        Regime(drift=-0.007, liveliness=1.2, mean_days=5.0),
    )

    def __post_init__(self) -> None:
        half_lives = (self.slow_half_life, self.fast_half_life, self.swing_half_life, self.home_half_life)
        if min(half_lives) < _SHORTEST_HALF_LIFE:
            raise ValueError(f"half-lives must be {_SHORTEST_HALF_LIFE} minutes or more, not {min(half_lives)}")
        if not 0.0 <= self.swing_share <= 1.0:
            raise ValueError(f"swing_share must be 0 to 1, not {self.swing_share}")
        if len(self.regimes) < 2 or min(regime.mean_days for regime in self.regimes) < 1.0:
            raise ValueError("there must be two regimes or more, each lasting a day or more on average")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """Where the process stands at the first instant of a day: all that the days after it depend on."""

    level: float
    swing: float
    slow: float
    fast: float
    regime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of minutes, 1440 elements each: log prices relative to the start, and volume relative to the median."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def first_state(process: Process, random: np.random.Generator) -> ProcessState:
    """Return a state for the first day: the price at its start, everything else as it would be after a long time."""
    return ProcessState(
        level=0.0,
        swing=0.0,
        slow=process.slow_spread * float(random.standard_normal()),
        fast=process.fast_spread * float(random.standard_normal()),
        regime=int(random.integers(len(process.regimes))),
    )


def next_day(
    process: Process, state: ProcessState, *, day: int, random: np.random.Generator
) -> tuple[Day, ProcessState]:
    """Return the minutes of day number `day` and the state at the start of the next one.

    `random` must be fresh for this day and belong to it alone: then a day depends on nothing but its state and number.
    """
    regime = _next_regime(process, state.regime, random)
    mood = process.regimes[regime]
    normals = random.standard_normal((6, MINUTES_PER_DAY))
    uniforms = random.random((3, MINUTES_PER_DAY))

    slow = _ornstein_uhlenbeck(state.slow, process.slow_half_life, process.slow_spread, normals[0])
    fast = _ornstein_uhlenbeck(state.fast, process.fast_half_life, process.fast_spread, normals[1])
    liveliness = mood.liveliness * _shape_of_day(process, day) * np.exp(slow + fast)
    volatility = process.minute_volatility * liveliness

    share = process.swing_share
    swing = _autoregression(state.swing, _decay(process.swing_half_life), share * volatility * normals[2])
    jumps = np.where(uniforms[0] < process.jumps_per_day / MINUTES_PER_DAY, process.jump_spread * normals[3], 0.0)
    wander = float(np.sqrt(1.0 - share * share)) * volatility * normals[4]
    level = _autoregression(state.level, _decay(process.home_half_life), mood.drift / MINUTES_PER_DAY + wander + jumps)

    close = level + swing
    open_ = np.concatenate(([state.level + state.swing], close[:-1]))
    move = close - open_
    high = 0.5 * (open_ + close + _bridge_reach(move, volatility, uniforms[1]))
    low = 0.5 * (open_ + close - _bridge_reach(move, volatility, uniforms[2]))
    surprise = np.minimum(np.abs(move) / volatility, 8.0)
    volume = liveliness * np.exp(process.volume_spread * normals[5] + process.volume_per_move * surprise)

    after = ProcessState(
        level=float(level[-1]), swing=float(swing[-1]), slow=float(slow[-1]), fast=float(fast[-1]), regime=regime
    )
    return Day(open=open_, high=high, low=low, close=close, volume=volume), after


def _next_regime(process: Process, regime: int, random: np.random.Generator) -> int:
    """Return the regime of the new day; both draws are always made, so that what follows never shifts."""
    leaves = float(random.random()) < 1.0 / process.regimes[regime].mean_days
    step = 1 + int(random.integers(len(process.regimes) - 1))
    return (regime + step) % len(process.regimes) if leaves else regime


def _shape_of_day(process: Process, day: int) -> Floats:
    """Return the factor of each minute on the volatility; its mean square over a weekday is 1."""
    angle = 2.0 * np.pi * (np.arange(MINUTES_PER_DAY) - process.liveliest_minute) / MINUTES_PER_DAY
    shape = (1.0 + process.day_shape * np.cos(angle)) / np.sqrt(1.0 + 0.5 * process.day_shape**2)
    return np.asarray(shape * (process.weekend if day % _DAYS_PER_WEEK >= _SATURDAY else 1.0), dtype=np.float64)


def _decay(half_life: float) -> float:
    """Return what is left after one minute of a deviation that halves in `half_life` minutes."""
    return float(2.0 ** (-1.0 / half_life))


def _ornstein_uhlenbeck(start: float, half_life: float, spread: float, normals: Floats) -> Floats:
    """Return the process at the end of each minute; its stationary standard deviation is `spread`."""
    decay = _decay(half_life)
    return _autoregression(start, decay, spread * np.sqrt(1.0 - decay * decay) * normals)


def _autoregression(start: float, decay: float, shocks: Floats) -> Floats:
    """Return x[t] = decay * x[t-1] + shocks[t] for one day, with x before the day = `start`.

    Written as decay**t * (start + sum(shocks / decay**t)) it is one cumulative sum. With the shortest half-life allowed
    the powers reach 2**48 in a day: what is rounded away has itself decayed to nothing by then.
    """
    powers = decay ** np.arange(1, shocks.size + 1)
    return np.asarray(powers * (start + np.cumsum(shocks / powers)), dtype=np.float64)


def _bridge_reach(move: Floats, volatility: Floats, uniforms: Floats) -> Floats:
    """Return max minus min of (open, high, close taken together): 2 * high - open - close of a Brownian bridge."""
    return np.sqrt(move * move - 2.0 * volatility * volatility * np.log1p(-uniforms))
