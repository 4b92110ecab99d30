"""The exchange without its network: orders, cancels and the market's trades change books and balances, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

from gridbot.core.units import ZERO, Side
from gridbot.core.values import evolve
from gridbot.errors import LedgerError
from gridbot.sandbox.admission import check_order, refuse
from gridbot.sandbox.effects import Effect, Execution
from gridbot.sandbox.market import Market, opposite
from gridbot.sandbox.records import (
    EXACT,
    FeeMode,
    Fees,
    Kind,
    MarketRules,
    NewOrder,
    Order,
    Status,
    TapeTrade,
    TimeInForce,
    Trade,
    Trading,
    reservation,
    round_down,
)
from gridbot.sandbox.taking import Take, crosses, plan_take
from gridbot.sandbox.wallet import Wallet


class Room:
    """The matching room of one user's account over several markets. Times are milliseconds UTC and handed in."""

    def __init__(self, markets: Iterable[MarketRules], fees: Fees) -> None:
        self.fees = fees
        self.markets = {rules.symbol: Market(rules) for rules in markets}
        self.wallet = Wallet()
        self.open: dict[int, Order] = {}
        self.next_order = 1
        self.refuse_duplicates = True
        self._client_ids: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------------------------- the user

    def place(self, new: NewOrder, now: int) -> Effect:
        """Take an order; OrderRejected if it is refused, and then nothing has changed."""
        market = self.markets.get(new.symbol)
        if market is None:
            refuse("BAD_SYMBOL", "Invalid symbol.")
        with localcontext(EXACT):
            check_order(new, market.rules, last=market.last, resting=market.resting())
            if self.refuse_duplicates and (new.symbol, new.client_id) in self._client_ids:
                refuse("DUPLICATE", "Duplicate order sent.")
            order = self._order(new, now)
            if order.kind is Kind.LIMIT_MAKER and crosses(order, market):
                refuse("POST_ONLY", "Order would immediately match and take.")
            plan = plan_take(order, market) if crosses(order, market) else Take()
            self._refuse_unpayable(order, market, plan)
            self.next_order += 1
            return self._enter(order, market, plan, now)

    def cancel(self, order: Order, now: int, *, cancel_id: str = "") -> Effect:
        """Take a resting order back; OrderRejected if it does not rest or the market is halted."""
        market = self.markets[order.symbol]
        if order.id not in self.open:
            refuse("UNKNOWN_ORDER", "Unknown order sent.")
        if market.rules.trading is Trading.HALTED:
            refuse("MARKET_CLOSED", "Market is closed.")
        effect = Effect()
        with localcontext(EXACT):
            order.cancel_id = cancel_id
            self._end(order, Status.CANCELED, now, effect, Execution.CANCELED)
            self._check(effect)
        return effect

    def find(self, symbol: str, client_id: str) -> Order | None:
        """Return the open order that bears a client id."""
        return self.open.get(self._client_ids.get((symbol, client_id), 0))

    def deposit(self, asset: str, amount: Decimal) -> Effect:
        """Bring in an asset, or with a negative amount take it out; OrderRejected if it is not free."""
        with localcontext(EXACT):
            if self.wallet.free(asset) + amount < ZERO:
                refuse("BALANCE", "Account has insufficient balance for requested action.")
            self.wallet.deposit(asset, amount)
        return Effect(assets={asset}, moved={asset: amount})

    def adopt(self, order: Order) -> None:
        """Rest an order that was stored; its reservation is in the stored balances already."""
        self.open[order.id] = order
        self._client_ids[order.symbol, order.client_id] = order.id
        self.markets[order.symbol].adopt(order)

    def change_rules(self, symbol: str, **changes: object) -> None:
        """Change filters or what the market lets its users do; orders that rest stay as they are."""
        market = self.markets[symbol]
        market.rules = evolve(market.rules, **changes)

    # ----------------------------------------------------------------------------------- the market

    def trade(self, symbol: str, price: Decimal, quantity: Decimal, taker: Side, *, now: int, width: int) -> Effect:
        """Let others trade `quantity` (base) at `price`; it fills what of the user's stands in the way.

        Whoever trades here would first have traded with the user's better orders, so their part of the quantity comes
        first, the best and earliest order before the others. What is left has to get through those who came before at
        the price itself. No more than `quantity` trades: an order that is larger holds the price where it is.
        `width` is the spread afterwards, in ticks.
        """
        market, effect = self.markets[symbol], Effect()
        with localcontext(EXACT):
            tick = market.rules.tick_size
            bid = price if taker is Side.SELL else max(price - width * tick, tick)
            ask = price if taker is Side.BUY else price + width * tick
            rest, market.last = market.rules.lots_down(quantity), price
            for order in self._in_the_way(market, price, bid=bid, ask=ask):
                part = min(rest, order.leaves)
                if part > ZERO:
                    rest -= part
                    self._fill(order, order.price, part, now, effect, maker=True)
                    market.last = order.price
            if rest > ZERO:
                market.last = price
                rest = self._at_the_price(market, opposite(taker), price, rest, now, effect)
            if rest > ZERO:
                effect.tape.append(self._tape(market, price, rest, taker, now))
            market.settle(bid, ask, width)
            self._check(effect)
        return effect

    @staticmethod
    def _in_the_way(market: Market, price: Decimal, *, bid: Decimal, ask: Decimal) -> list[Order]:
        bids = [order for order in market.orders(Side.BUY) if order.price > price or order.price >= ask]
        asks = [order for order in market.orders(Side.SELL) if order.price < price or order.price <= bid]
        return bids + asks

    def _at_the_price(
        self, market: Market, side: Side, price: Decimal, rest: Decimal, now: int, effect: Effect
    ) -> Decimal:
        """Spend `rest` on the queue at one price: the crowd and the user in turn. Return what was left for the tape."""
        passed, on_tape = ZERO, rest
        queue = [order for order in market.orders(side) if order.price == price]
        for order in queue:
            step = min(rest, max(order.ahead - passed, ZERO))
            passed, rest = passed + step, rest - step
            if rest > ZERO:
                quantity = min(rest, order.leaves)
                rest -= quantity
                on_tape -= quantity
                self._fill(order, price, quantity, now, effect, maker=True)
        # What was left over went to those who stand behind.
        market.pass_by(side, price, passed)
        return on_tape

    # ------------------------------------------------------------------------------------ the parts

    def _order(self, new: NewOrder, now: int) -> Order:
        return Order(
            id=self.next_order,
            symbol=new.symbol,
            client_id=new.client_id or f"sandbox-{self.next_order}",
            side=new.side,
            kind=new.kind,
            time_in_force=new.time_in_force,
            price=new.price,
            quantity=new.quantity,
            quote_quantity=new.quote_quantity,
            prevention=new.prevention,
            time=now,
            update_time=now,
        )

    def _refuse_unpayable(self, order: Order, market: Market, plan: Take) -> None:
        asset, amount = reservation(order, market.rules, self.fees)
        if order.kind is Kind.MARKET:
            amount = plan.quantity if order.side is Side.SELL else plan.cost
            if order.side is Side.BUY and self.fees.mode is FeeMode.QUOTE:
                amount += amount * self.fees.taker
        if amount > self.wallet.free(asset):
            refuse("BALANCE", "Account has insufficient balance for requested action.")

    def _enter(self, order: Order, market: Market, plan: Take, now: int) -> Effect:
        effect = Effect()
        self.open[order.id] = order
        self._client_ids[order.symbol, order.client_id] = order.id
        if order.kind is Kind.MARKET and order.quote_quantity > ZERO:
            order.quantity = plan.quantity
        effect.tell(Execution.NEW, order)
        self._reserve(order, effect)
        for other in plan.gave_way:
            self._end(other, Status.EXPIRED_IN_MATCH, now, effect, Execution.TRADE_PREVENTION)
        for price, quantity in plan.fills:
            market.standing.take(opposite(order.side), price, quantity)
            market.pass_by(opposite(order.side), price, quantity)
            self._fill(order, price, quantity, now, effect, maker=False)
        if order.is_open:
            if plan.prevented:
                self._end(order, Status.EXPIRED_IN_MATCH, now, effect, Execution.TRADE_PREVENTION)
            elif order.kind is Kind.MARKET or order.time_in_force is not TimeInForce.GTC:
                self._end(order, Status.EXPIRED, now, effect, Execution.EXPIRED)
            else:
                market.join(order)
        self._check(effect)
        return effect

    def _fill(self, order: Order, price: Decimal, quantity: Decimal, now: int, effect: Effect, *, maker: bool) -> None:
        market = self.markets[order.symbol]
        rules, buying = market.rules, order.side is Side.BUY
        cost = price * quantity
        asset, _ = reservation(order, rules, self.fees)
        self.wallet.lock(asset, before=order.reserved, after=ZERO)
        order.reserved = ZERO
        self.wallet.receive(rules.base, quantity if buying else -quantity)
        self.wallet.receive(rules.quote, -cost if buying else cost)
        fee_asset, fee = self._fee(rules, quantity=quantity, cost=cost, buying=buying, maker=maker)
        self.wallet.charge(fee_asset, fee)
        effect.assets |= {rules.base, rules.quote, fee_asset}
        order.executed += quantity
        order.quote_executed += cost
        order.update_time = now
        if order.leaves <= ZERO:
            order.status = Status.FILLED
            self._forget(order)
        else:
            order.status = Status.PARTIALLY_FILLED
            self._reserve(order, effect)
        tape = self._tape(market, price, quantity, opposite(order.side) if maker else order.side, now)
        trade = Trade(order.symbol, tape.id, order.id, price, quantity, fee, fee_asset, now, buying, maker)
        effect.tape.append(tape)
        effect.tell(Execution.TRADE, order, trade)

    def _fee(
        self, rules: MarketRules, *, quantity: Decimal, cost: Decimal, buying: bool, maker: bool
    ) -> tuple[str, Decimal]:
        rate = self.fees.maker if maker else self.fees.taker
        if self.fees.mode is FeeMode.THIRD:
            fee = round_down(cost * rate * self._of_third())
            # An account that cannot pay in the third asset pays as if there were none.
            if fee <= self.wallet.free(self.fees.asset):
                return self.fees.asset, fee
        if buying and self.fees.mode is not FeeMode.QUOTE:
            return rules.base, round_down(quantity * rate)
        return rules.quote, round_down(cost * rate)

    def _of_third(self) -> Decimal:
        """Return what one quote is worth in the third asset, rounded down to eight decimals."""
        with localcontext(EXACT) as context:
            context.clear_traps()
            return round_down(1 / self.fees.asset_price)

    def _reserve(self, order: Order, effect: Effect) -> None:
        rules = self.markets[order.symbol].rules
        asset, amount = reservation(order, rules, self.fees)
        if order.kind is Kind.MARKET:
            # It never rests: each fill is paid from what is free.
            amount = ZERO
        self.wallet.lock(asset, before=order.reserved, after=amount)
        order.reserved = amount
        effect.assets.add(asset)

    def _end(self, order: Order, status: Status, now: int, effect: Effect, execution: Execution) -> None:
        rules = self.markets[order.symbol].rules
        asset, _ = reservation(order, rules, self.fees)
        self.wallet.lock(asset, before=order.reserved, after=ZERO)
        order.reserved = ZERO
        order.status = status
        order.update_time = now
        effect.assets.add(asset)
        self._forget(order)
        effect.tell(execution, order)

    def _forget(self, order: Order) -> None:
        self.markets[order.symbol].leave(order)
        self.open.pop(order.id, None)
        self._client_ids.pop((order.symbol, order.client_id), None)

    @staticmethod
    def _tape(market: Market, price: Decimal, quantity: Decimal, taker: Side, now: int) -> TapeTrade:
        return TapeTrade(market.rules.symbol, market.number_trade(), price, quantity, now, taker is Side.SELL)

    def _check(self, effect: Effect) -> None:
        """Raise LedgerError unless each asset adds up, and what is locked is what the open orders lock."""
        locked = dict.fromkeys(effect.assets, ZERO)
        for order in self.open.values():
            asset, _ = reservation(order, self.markets[order.symbol].rules, self.fees)
            if asset in locked:
                locked[asset] += order.reserved
        for asset, amount in locked.items():
            balance = self.wallet.of(asset)
            balance.check(asset)
            if balance.locked != amount:
                raise LedgerError(f"{asset}: {balance.locked} is locked, the open orders lock {amount}.")
