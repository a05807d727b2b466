"""Where nothing is suggested or learned: secret fields, private windows, and rules for applications."""

from __future__ import annotations

import fnmatch
import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, cast

from idiolect.adapters.prediction.reasons import Reason
from idiolect.daemon.profile.app_rules import AppRule, ContextRule, is_of_context, read_app_rules
from idiolect.daemon.profile.events import Decided
from idiolect.daemon.text.secret_apps import NEVER_HEARD, TERMINALS, holds_secrets

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.settings import Settings

# Of Wayland's and GTK's purposes and hints, HTML's autocomplete values, Android's and Apple's kinds of fields,
# all in small letters and figures alone.
_SECRET_PARTS: Final = (
    *("passw", "passphrase", "passcode", "onetimecode", "smsotp", "creditcard", "hiddentext", "sensitive"),
    *("purposepin", "pincode"),
)
_SECRET_WORDS: Final = (
    *("pin", "newpin", "currentpin", "otp", "tan", "cvc", "cvv", "webauthn", "ccname", "ccgivenname"),
    *("ccadditionalname", "ccfamilyname", "ccnumber", "ccexp", "ccexpmonth", "ccexpyear", "cccsc", "cctype"),
)


@dataclass(frozen=True)
class InputContext:
    """Where something is typed, as far as a program says: application, kind of field, and whether privately."""

    app: str | None = None
    input_purpose: str | None = None
    private: bool = False


#: What a program says that says nothing.
NOWHERE: Final = InputContext()


@dataclass(frozen=True)
class AppRuleRow:
    """What is done in the applications that match a pattern, and who says so.

    ``rule`` or ``context`` is None where the row says nothing of it.
    """

    app: str
    rule: AppRule | None
    source: Literal["built in, always", "you", "settings", "another device's settings", "built in"]
    context: ContextRule | None = None


#: What is done where secrets are kept or asked for, whatever anybody says.
_ALWAYS: Final = AppRuleRow("password managers", "exclude", "built in, always")


def is_secret(input_purpose: str) -> bool:
    """Whether a field is for a secret, by any of the usual names; unknown names are for none.

    >>> is_secret("section-pay billing cc-number"), is_secret("GTK_INPUT_PURPOSE_PIN"), is_secret("free-form")
    (True, True, False)
    """
    words = [re.sub(r"[^a-z0-9]", "", word) for word in input_purpose.lower().split()]
    return any(word in _SECRET_WORDS or any(part in word for part in _SECRET_PARTS) for word in words)


class AppPolicy:
    """Where nothing may be suggested, or nothing learned. Safe to use from several threads."""

    def __init__(self, profile: Profile, settings: Settings) -> None:
        """Rules of `settings`, and those that the user gave and the `profile` keeps."""
        self._profile = profile
        self._settings = settings
        self._arranging = threading.Lock()
        self._arrange()
        profile.events.subscribe(Decided, self._follow_decision)

    def _follow_decision(self, event: Decided) -> None:
        if event.is_about("apps") or event.is_about("sharing"):
            self._arrange()

    def _arrange(self) -> None:
        """Put the rules that the store holds in the order in which the first that fits decides."""
        with self._arranging:
            self._put_in_order()

    def _put_in_order(self) -> None:
        settings = self._settings
        rows = [
            *(AppRuleRow(app, "exclude", "built in, always") for app in NEVER_HEARD),
            *(_row_of(app, rule) for app, rule in reversed(read_app_rules(self._profile.store))),
            *(
                AppRuleRow(app, "exclude", "settings")
                for app in settings.exclude_apps
                if app not in NEVER_HEARD
            ),
            *(AppRuleRow(app, "quiet", "settings") for app in settings.quiet_apps),
            *self._of_other_devices(),
            *(AppRuleRow(app, "allow", "settings") for app in settings.allow_apps),
            *(AppRuleRow(app, "quiet", "built in") for app in TERMINALS),
        ]
        self._patterns = patterns = [(re.compile(fnmatch.translate(row.app), re.I), row) for row in rows]

        @lru_cache(maxsize=1000)
        def rows_of(app: str | None) -> tuple[AppRuleRow | None, bool]:
            """The row whose rule holds in an application, and whether what is answered is seen there."""
            if app is None:
                return None, True
            fitting = [row for pattern, row in patterns if pattern.match(app)]
            rule = _ALWAYS if holds_secrets(app) else next((row for row in fitting if row.rule), None)
            return rule, next((row.context for row in fitting if row.context), "on") == "on"

        self._rows: Callable[[str | None], tuple[AppRuleRow | None, bool]] = rows_of

    def suggesting(self, place: InputContext) -> Reason | None:
        """Why nothing may be suggested there, and what is typed there not even looked at; None if it may."""
        if place.input_purpose is not None and is_secret(place.input_purpose):
            return Reason.SECRET_FIELD
        if place.private:
            return Reason.PRIVATE
        row, _ = self._rows(place.app)
        return Reason.EXCLUDED_APP if row is not None and row.rule == "exclude" else None

    def sees_context(self, place: InputContext) -> bool:
        """Return True if what the user answers there may be looked at for suggestions."""
        if not self._settings.see_context or self.suggesting(place) is not None:
            return False
        return self._rows(place.app)[1]

    def learning(self, place: InputContext) -> Reason | None:
        """Why nothing that is typed there may be learned or counted; None if it may."""
        if (reason := self.suggesting(place)) is not None:
            return reason
        row, _ = self._rows(place.app)
        if row is None:  # a text field may say that it is a terminal where its application has no name
            return Reason.EXCLUDED_APP if (place.input_purpose or "").lower().endswith("terminal") else None
        return Reason.EXCLUDED_APP if row.rule == "quiet" else None

    def keeping(self, place: InputContext) -> Reason | None:
        """Why nothing that is typed there now may be learned or counted: a pause, or `learning`; None if it may."""
        return Reason.PAUSED if self._profile.pause.active else self.learning(place)

    def rules(self) -> list[AppRuleRow]:
        """All rules; the first one whose pattern fits an application holds for it."""
        return [row for _, row in self._patterns]

    def _of_other_devices(self) -> list[AppRuleRow]:
        """What the settings of the devices exclude that share a folder, without what these settings do themselves."""
        theirs = self._profile.journal.excluded().values()
        source: Literal["another device's settings"] = "another device's settings"
        kinds: tuple[tuple[str, AppRule, Collection[str]], ...] = (
            ("exclude_apps", "exclude", self._settings.exclude_apps),
            ("quiet_apps", "quiet", self._settings.quiet_apps),
        )
        return [
            AppRuleRow(app, rule, source)
            for name, rule, own in kinds
            for excluded in theirs
            for app in excluded[name]
            if app not in own
        ]


def _row_of(app: str, rule: str) -> AppRuleRow:
    """The row of a rule that the user gave."""
    if is_of_context(rule):
        return AppRuleRow(app, None, "you", cast("ContextRule", rule))
    return AppRuleRow(app, cast("AppRule", rule), "you")
