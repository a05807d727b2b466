"""Whether learning is paused: what the service says, and what its user chose, which the service may not have heard.

    learns ──pause──► pausing ──the service heard it──► paused
      ▲                  │ it did not hear: tried again   │
      └──it heard────resuming ◄──────────resume───────────┘

Nothing is learned while pausing, paused and resuming.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idiolect.daemon.session import effects

if TYPE_CHECKING:
    from idiolect.daemon.session.session import Session  # it imports this module

_STATUS_S: Final = 2.0  # whether learning is paused is known for so long
_RETRY_S = 2.0  # between two attempts to tell the service of a pause
_NEVER_S: Final = float("inf")
_PAUSES: Final = {True: "/v1/pause", False: "/v1/resume"}


class LearningPause:
    """The pause of one session.

    The service is told at `retry_s` of what it has not heard; infinity if it has heard all. `is_unheard`: it did not
    answer when it was told.
    """

    def __init__(self, session: Session, unheard_s: float | None) -> None:
        """`unheard_s`: when learning was paused, in seconds since 1970, if the service has not heard of that."""
        self._session = session
        self._is_paused = False  # by the service's last answer
        self._chosen = None if unheard_s is None else True  # what was chosen and is not heard yet
        self._chosen_s, self.is_unheard = unheard_s or 0.0, unheard_s is not None
        self.retry_s = _NEVER_S if unheard_s is None else 0.0
        self._status_s = float("-inf")  # when the service last said whether it is

    @property
    def holds(self) -> bool:
        """Whether nothing is learned."""
        return self._is_paused or self._chosen is not None

    @property
    def shown(self) -> bool:
        """Whether learning is paused as its user chose last."""
        return self._is_paused if self._chosen is None else self._chosen

    def check(self) -> None:
        """Ask whether learning is paused if that is not known for certain: text is typed that may be learned."""
        if self._session.clock.now_s - self._status_s > _STATUS_S:
            self._status_s = self._session.clock.now_s
            self._session.do(effects.SendRequest("/v1/status", method="GET"))

    def set(self, *, paused: bool) -> None:
        """Note whether the service says that learning is paused."""
        self._status_s = self._session.clock.now_s
        if paused != self._is_paused:
            self._change(paused, self._chosen)

    def toggle(self) -> None:
        """Pause learning, or resume it."""
        self.choose(paused=not self.shown)

    def choose(self, *, paused: bool) -> None:
        """Pause learning or resume it, as its user chose."""
        is_told = self._chosen is not None and self.retry_s == _NEVER_S
        self._chosen_s = self._session.clock.unix_s
        self._change(self._is_paused, paused)
        if not is_told:
            self._tell(paused)

    def retry(self) -> None:
        """Tell the service of what it has not heard, where that is due."""
        if self._chosen is not None and self.retry_s <= self._session.clock.now_s:
            self._tell(self._chosen)

    def take_reply(self, path: str, *, heard: bool) -> None:
        """Take the reply to what the service was told; its user may have chosen something else meanwhile."""
        pause = self._chosen
        if pause is None:
            return None
        if heard and path != _PAUSES[pause]:
            return self._tell(pause)
        self._session.do(effects.KeepPause(self._chosen_s if pause and not heard else None))
        first, self.is_unheard = not (heard or self.is_unheard), not heard
        if heard:
            self._status_s = self._session.clock.now_s
            return self._change(pause, None)
        self.retry_s = self._session.clock.now_s + _RETRY_S
        if first:
            self._session.show_menu()
            self._session.show_note(
                "The service did not hear that. Until it does, it is asked again, and nothing is learned."
            )
        return None

    def _tell(self, paused: bool) -> None:
        # What was written since the choice stays off the record in every program.
        ago_s = max(self._session.clock.unix_s - self._chosen_s, 0.0)
        self.retry_s = _NEVER_S
        self._session.do(effects.SendRequest(_PAUSES[paused], {"ago_s": ago_s} if paused else None))

    def _change(self, is_paused: bool, chosen: bool | None) -> None:
        """Note a change. A text that was begun before learning stops or goes on is not learned."""
        before = self.holds
        self._is_paused, self._chosen = is_paused, chosen
        if self.holds != before:
            self._session.begin_anew()
        else:
            self._session.show_menu()
