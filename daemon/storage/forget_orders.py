"""Orders to forget, which devices that share text give each other; each is carried out once on every device.

An order stands until all have carried it out: then only its number and receipt are kept, and not what was looked for.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.shared import Shared
from idiolect.daemon.storage.state import State

_GIVEN: Final = "shared_orders"  # state: those that were given here
_HEARD: Final = "shared_orders_heard"  # state: the ids of all that were given or carried out here
_KEPT: Final = 200
_UNSENDABLE: Final = {"ids", "origin"}  # numbers that mean something in this store alone


@dataclass(frozen=True)
class Order:
    """An order to forget: its number, its receipt, and its conditions; None where it is done, or they mean nothing
    elsewhere. `id` is the same in a copy of this profile; `at` is when it was given (ISO 8601)."""

    number: int
    receipt: int | None
    conditions: dict[str, Any] | None
    id: str
    at: str

    def ended(self) -> Order:
        """The order with its own time as the end of what it takes."""
        if self.conditions is None:
            return self
        ends = (self.at, self.conditions.get("until", self.at))
        return replace(self, conditions={**self.conditions, "until": min(ends, key=datetime.fromisoformat)})


class ForgetOrders:
    """The orders that were given here, and those that were heard of. Without anything shared there are none."""

    def __init__(self, state: State, shared: Shared) -> None:
        self._state = state
        self._shared = shared

    def all(self) -> list[Order]:
        """The orders that were given here, oldest first."""
        return [Order(*row) for row in self._state.get(_GIVEN, [])]

    def open(self) -> list[Order]:
        """Those that not every device has carried out."""
        return [one for one in self.all() if one.conditions is not None]

    def last_number(self) -> int:
        """The number of the newest; 0 before the first."""
        return max((one.number for one in self.all()), default=0)

    def tells(self, selector: Selector) -> bool:
        """Whether other devices are told to forget what is selected, though nothing of it may be here."""
        return self._shared.on and not _UNSENDABLE & {*selector.conditions}

    def give(self, selector: Selector, receipt: int | None) -> None:
        """Have other devices forget what is selected; part of the transaction that forgets it here."""
        if not self._shared.on:
            return
        given = {name: getattr(selector, name) for name in selector.conditions}
        conditions = (
            json.loads(json.dumps(given, default=datetime.isoformat)) if self.tells(selector) else None
        )
        order = Order(
            self.last_number() + 1, receipt, conditions, secrets.token_hex(8), datetime.now(UTC).isoformat()
        )
        self.hear(order.id)
        orders = self.all()
        over = len(orders) + 1 - _KEPT
        self._keep([one for n, one in enumerate(orders) if n >= over or one.conditions is not None] + [order])
        self._shared.on_change(True)

    def has_heard(self, id_: str) -> bool:
        """Whether an order was given or carried out here."""
        return id_ in self._state.get(_HEARD, [])

    def hear(self, id_: str) -> None:
        """Note that an order was given or carried out here."""
        with self._shared.together():
            self._state.set(_HEARD, [*self._state.get(_HEARD, []), id_])

    def carried_out(self, number: int) -> None:
        """Keep of the orders up to a number only that they were given."""
        with self._shared.together():
            self._keep([replace(one, conditions=None) if one.number <= number else one for one in self.all()])

    def give_again(self) -> None:
        """Have orders take no text of after their time: this is a copy, so they may be over long since."""
        self._keep([one.ended() for one in self.all()])

    def drop(self) -> None:
        """Know of no orders any more."""
        self._state.drop(_GIVEN)
        self._state.drop(_HEARD)

    def _keep(self, orders: Sequence[Order]) -> None:
        self._state.set(_GIVEN, [astuple(one) for one in orders])


def selector_of(conditions: dict[str, Any]) -> Selector:
    """What an order of another device selects."""
    given = dict(conditions)
    for name in ("since", "until"):
        if name in given:
            given[name] = datetime.fromisoformat(given[name])
    if "phrases" in given:
        given["phrases"] = tuple(given["phrases"])
    return Selector(**given)
