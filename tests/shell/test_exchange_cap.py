"""No more orders rest in a market than its exchange takes, less a few: the gate, the window and a preview agree."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gridbot.bootstrap_worlds import exchange_words
from gridbot.config import parse_config
from gridbot.config.risk import EXCHANGE_SPARE, allowed_orders
from gridbot.core.limit_views import LimitView
from gridbot.core.state import State
from gridbot.core.units import GridId
from gridbot.shell.facade import ExchangeWords, Previewed, PreviewGrid, SaveConfig
from gridbot.shell.messages import Asked
from tests.fakes.trading import CONFIG, House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

MOST = 14
TAKEN = MOST - EXCHANGE_SPARE


def shown(house: House) -> LimitView:
    return next(each for each in house.outlet.views[-1].snapshot.limits if each.code == "max_open_orders")


def test_an_exchange_that_takes_fewer_orders_than_the_setting_allows_is_not_asked_for_more() -> None:
    house = House(choppy(3, minutes=2, quiet=4_000), words=ExchangeWords(most_orders=MOST))
    free = House(choppy(3, minutes=2, quiet=4_000))

    async def main(house: House) -> State:
        async with house.trading() as trader:
            await asyncio.sleep(4)
            limit = shown(house)
            assert limit.now == len(resting_at(house))
            if house.words.most_orders is not None:
                assert limit.limit == TAKEN
                trader.ask(Asked(1, PreviewGrid(CONFIG, GridId("btc"))))
                wider = json.loads(CONFIG) | {"risk": {"max_open_orders": 150}}
                trader.ask(Asked(2, SaveConfig(json.dumps(wider))))
                await asyncio.sleep(3)
        return trader.state

    capped, open_ = run_virtual(main(house)), run_virtual(main(free))
    assert len(resting_at(free)) > TAKEN == len(resting_at(house))
    assert capped.rules.risk is not None and open_.rules.risk is not None
    assert (capped.rules.risk.max_open_orders, open_.rules.risk.max_open_orders) == (TAKEN, 200)
    assert house.saved[-1].risk.max_open_orders == 150, "the file keeps what was written"
    told = [item for item in house.outlet.items if isinstance(item, Previewed)]
    assert told and told[-1].report is not None
    assert [each.code for each in told[-1].report.levels].count("denied") >= 1


def test_what_an_exchange_takes_comes_from_the_capability_table() -> None:
    kraken, unknown = exchange_words("kraken"), exchange_words("luno")
    assert kraken.most_orders == 60 and unknown.most_orders is None
    config = parse_config(CONFIG, source="test")
    assert config.to_rules(exchange_orders=kraken.most_orders).risk == config.risk.to_rules(exchange_orders=60)
    assert config.risk.to_rules(exchange_orders=60).max_open_orders == 50


@given(wanted=st.integers(1, 10_000), most=st.integers(1, 1_000))
def test_a_person_may_want_fewer_and_never_gets_more(wanted: int, most: int) -> None:
    allowed = allowed_orders(wanted, most)
    assert 1 <= allowed <= wanted == allowed_orders(wanted, None)
    assert allowed <= max(1, most - EXCHANGE_SPARE) and Decimal(allowed) == allowed
