"""Where nothing is suggested or learned: secret fields, private windows, and rules for applications."""

from __future__ import annotations

import fnmatch
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from idiolect.adapters.prediction.reasons import Reason
from idiolect.daemon.profile.events import Decided
from idiolect.daemon.text.secret_apps import NEVER_HEARD, TERMINALS, holds_secrets
from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:
    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.settings import Settings

#: What is done in an application: all; suggestions but no learning; nothing.
AppRule: TypeAlias = Literal["allow", "quiet", "exclude"]
#: Whether what the user answers is seen in an application.
ContextRule: TypeAlias = Literal["on", "off"]

# State: [pattern, rule, or whether what is answered is seen] as the user gave them, the newest last.
_RULES: Final = "app_rules"
_SEEN: Final = get_args(ContextRule)

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


class ProtectedAppError(IdiolectError, code="protected-app", exit_code=ExitCode.CONFLICT, http_status=409):
    """A password manager, or another program for secrets, is never listened to, whatever is asked for."""


class NoSuchAppRuleError(
    IdiolectError, code="no-such-app-rule", exit_code=ExitCode.BAD_INPUT, http_status=404
):
    """The user has given no rule for this pattern of applications."""


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
        self._store = profile.store
        self._settings = settings
        self._shared: tuple[AppRuleRow, ...] = ()
        self._arranging = threading.Lock()
        self._arrange()
        profile.events.subscribe(Decided, lambda _: self._arrange())

    def _arrange(self) -> None:
        """Put the rules that the store holds in the order in which the first that fits decides."""
        with self._arranging:
            self._put_in_order(self.own_rules())

    def _put_in_order(self, given: list[list[str]]) -> None:
        rows = [
            *(AppRuleRow(app, "exclude", "built in, always") for app in NEVER_HEARD),
            *(_row_of(app, rule) for app, rule in reversed(given)),
            *(
                AppRuleRow(app, "exclude", "settings")
                for app in self._settings.exclude_apps
                if app not in NEVER_HEARD
            ),
            *(AppRuleRow(app, "quiet", "settings") for app in self._settings.quiet_apps),
            *self._shared,
            *(AppRuleRow(app, "allow", "settings") for app in self._settings.allow_apps),
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

    # Rules that the user gives

    def rules(self) -> list[AppRuleRow]:
        """All rules; the first one whose pattern fits an application holds for it."""
        return [row for _, row in self._patterns]

    def set_rule(self, app: str, rule: AppRule | ContextRule) -> None:
        """From now on do this, or see what is answered or not, in the applications that match the pattern `app`.

        Raises ProtectedAppError where that would listen to a password manager, and the store's errors.
        """
        if rule not in ("exclude", "off") and holds_secrets(app):
            raise ProtectedAppError(
                "Password managers, and other programs that hold secrets or ask for them, are never listened to. "
                "Name another application; `idiolect apps` lists the rules."
            )

        def change() -> None:
            kept = (
                old
                for old in self.own_rules()
                if old[0].casefold() != app.casefold() or (old[1] in _SEEN) != (rule in _SEEN)
            )
            self.replace_rules([*kept, [app, rule]])

        self._profile.decide("apps", change)

    def remove(self, app: str) -> None:
        """Remove the rules that the user gave for the pattern `app`. Raises NoSuchAppRuleError."""

        def change() -> None:
            given = self.own_rules()
            kept = [old for old in given if old[0].casefold() != app.casefold()]
            if len(kept) == len(given):
                raise NoSuchAppRuleError(
                    "You have given no rule for this pattern. `idiolect apps` lists yours; those of the settings file "
                    "are changed there, and built-in ones stay."
                )
            self.replace_rules(kept)

        self._profile.decide("apps", change)

    def own_rules(self) -> list[list[str]]:
        """The rules that the user gave, each with its pattern first, the newest last."""
        given: list[list[str]] = self._store.state.get(_RULES, [])
        return given

    def replace_rules(self, rules: list[list[str]]) -> None:
        """Replace the rules that the user gave by `rules`, within a decision, after which they hold."""
        self._store.state.set(_RULES, rules)

    def exclude_too(self, exclude: Iterable[str], quiet: Iterable[str]) -> None:
        """Exclude what the settings of other devices exclude."""
        source: Literal["another device's settings"] = "another device's settings"
        self._shared = (
            *(
                AppRuleRow(app, "exclude", source)
                for app in exclude
                if app not in self._settings.exclude_apps
            ),
            *(AppRuleRow(app, "quiet", source) for app in quiet if app not in self._settings.quiet_apps),
        )
        self._arrange()


def _row_of(app: str, rule: str) -> AppRuleRow:
    """The row of a rule that the user gave."""
    if rule in _SEEN:
        return AppRuleRow(app, None, "you", cast("ContextRule", rule))
    return AppRuleRow(app, cast("AppRule", rule), "you")
