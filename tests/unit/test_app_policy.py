"""Fields for secrets, private windows and applications: where nothing is suggested, and where nothing is learned."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import pytest

from idiolect.daemon import secret_apps
from idiolect.daemon.privacy.app_policy import (
    NOWHERE,
    AppRuleRow,
    OffLimits,
    Place,
    ProtectedAppError,
    is_secret,
)
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from idiolect.daemon.secret_apps import SecretApp


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "store.db", "5a" * 32)
    yield store
    store.close()


@pytest.fixture
def off_limits(store: Store, tmp_path: Path) -> OffLimits:
    return OffLimits(store, Settings(home=tmp_path))


@pytest.mark.parametrize(
    "purpose",
    [
        *("password", "pin", "PIN", "Password", "new-password", "current-password", "one-time-code"),
        *("cc-number", "cc-csc", "cc-exp-month", "section-pay billing cc-number", "username webauthn"),
        *("GTK_INPUT_PURPOSE_PASSWORD", "GTK_INPUT_PURPOSE_PIN", "IBUS_INPUT_PURPOSE_PIN"),
        *("hidden_text", "sensitive_data", "ImhSensitiveData", "textWebPassword", "numberPassword"),
        *("textVisiblePassword", "newPassword", "oneTimeCode", "creditCardNumber", "smsOTPCode"),
    ],
)
def test_fields_for_secrets_by_their_usual_names(off_limits: OffLimits, purpose: str) -> None:
    assert is_secret(purpose)
    place = Place(input_purpose=purpose)
    assert off_limits.suggesting(place) == off_limits.learning(place) == "secret field"


@pytest.mark.parametrize(
    "purpose",
    [
        *(
            "",
            "normal",
            "free-form",
            "alpha",
            "digits",
            "number",
            "phone",
            "url",
            "email",
            "name",
            "date",
            "on",
        ),
        *(
            "off",
            "street-address",
            "given-name",
            "username",
            "cc",
            "spinner",
            "shipping postal-code",
            "search",
        ),
        *("textMultiLine", "GTK_INPUT_PURPOSE_FREE_FORM", "something-new"),
    ],
)
def test_other_fields_and_unknown_names_are_fine(off_limits: OffLimits, purpose: str) -> None:
    place = Place(input_purpose=purpose)
    assert off_limits.suggesting(place) is None
    assert off_limits.learning(place) is None


def test_private_windows_are_off_limits_and_saying_nothing_changes_nothing(off_limits: OffLimits) -> None:
    assert off_limits.suggesting(Place("editor", private=True)) == "private"
    assert off_limits.learning(Place("editor", private=True)) == "private"
    assert off_limits.suggesting(NOWHERE) is off_limits.learning(NOWHERE) is None


@pytest.mark.parametrize("app", ["KeePassXC", "org.keepassxc.KeePassXC", "1Password 8", "Bitwarden.exe"])
def test_password_managers_are_always_off_limits(off_limits: OffLimits, app: str) -> None:
    assert off_limits.suggesting(Place(app)) == off_limits.learning(Place(app)) == "excluded app"
    for rule in ("allow", "quiet"):
        with pytest.raises(ProtectedAppError):
            off_limits.give(app, rule)  # type: ignore[arg-type]
    off_limits.give("*", "allow")
    assert off_limits.suggesting(Place(app)) == "excluded app"


SECRET_APPS = [app for apps in secret_apps.ALL.values() for app in apps]


@pytest.mark.parametrize("app", SECRET_APPS, ids=lambda app: app.name)
def test_programs_for_secrets_are_off_limits_under_each_of_their_names(
    off_limits: OffLimits, app: SecretApp
) -> None:
    off_limits.give("*", "allow")
    for name in app.known_as:
        spelled = [name, name.upper(), name.lower(), f"/opt/x/{name}", f"{name}.desktop", f" {name}"]
        spelled += [] if "." in name else [f"{name}_{name}", f"{name}_{name.lower()}.desktop"]  # of a Snap
        spelled += [rf"C:\Program Files\X\{name}", f"{name.removesuffix('.exe')}.exe", f"{name}.app"]
        for place in map(Place, spelled):
            assert off_limits.suggesting(place) == off_limits.learning(place) == "excluded app", place
        with pytest.raises(ProtectedAppError):
            off_limits.give(name, "quiet")
    for pattern in app.patterns:
        fits = re.compile(fnmatch.translate(pattern), re.I)
        assert any(fits.match(name) or fits.match(name.removesuffix(".exe")) for name in app.known_as), (
            pattern
        )


LOOKALIKES = [
    *("secretsanta", "Secret Santa", "The Secret World", "org.example.Secretsanta", "secrets-of-the-deep"),
    *("passenger", "Compass", "org.gnome.Maps", "passport-photo", "passwords-game", "The Password Game", "passed"),
    *("Keepsake", "zookeeper", "bookkeeper", "org.example.TimeKeeper", "KeeperFX", "keyboard", "keynote"),
    *("strongboxing", "vaulting", "padlock", "Notes about 1 password", "dash", "nordvpn", "protonmail"),
    *("com.protonvpn.www", "Proton Mail", "robotics", "spectrum", "consents", "opera", "operator", "bwv"),
    *("firefox", "org.mozilla.Thunderbird", "com.apple.mail", "code", "LibreOffice Writer", "author", "authority"),
]  # fmt: skip


@pytest.mark.parametrize("app", LOOKALIKES)
def test_what_only_sounds_like_one_is_fine(off_limits: OffLimits, app: str) -> None:
    assert off_limits.suggesting(Place(app)) is None
    assert off_limits.learning(Place(app)) is None


def test_what_is_written_about_passwords_is_no_password(off_limits: OffLimits) -> None:
    assert not secret_apps.holds_secrets("How to choose passwords.md - gedit")


@pytest.mark.parametrize("app", ["org.gnome.Terminal", "Konsole", "kitty", "foot", "iTerm2", "cmd.exe", "st"])
def test_in_terminals_it_suggests_but_learns_nothing(off_limits: OffLimits, app: str) -> None:
    assert off_limits.suggesting(Place(app)) is None
    assert off_limits.learning(Place(app)) == "excluded app"
    off_limits.give(app, "allow")
    assert off_limits.learning(Place(app)) is None


def test_a_field_may_say_that_it_is_a_terminal(off_limits: OffLimits) -> None:
    assert off_limits.learning(Place(input_purpose="terminal")) == "excluded app"
    assert off_limits.learning(Place("ide", "terminal")) == "excluded app"
    off_limits.give("ide", "allow")
    assert off_limits.learning(Place("ide", "terminal")) is None


@pytest.mark.parametrize("app", ["stardict", "football", "editor", "hyperlink-editor"])
def test_other_applications_are_fine(off_limits: OffLimits, app: str) -> None:
    assert off_limits.learning(Place(app)) is None


def test_a_rule_holds_while_another_thread_clears_what_was_looked_up(off_limits: OffLimits) -> None:
    class Cleared(dict[str, AppRuleRow | None]):
        """As if another thread were always there just after."""

        def __setitem__(self, app: str, row: AppRuleRow | None) -> None:
            super().__setitem__(app, row)
            self.clear()

    off_limits._known = Cleared()
    assert off_limits.suggesting(Place("KeePassXC")) == "excluded app"


def test_the_newest_rule_decides_and_stays_over_a_restart(
    off_limits: OffLimits, store: Store, tmp_path: Path
) -> None:
    off_limits.give("*chat*", "exclude")
    assert off_limits.suggesting(Place("my Chat")) == "excluded app"
    off_limits.give("my chat", "quiet")
    again = OffLimits(store, Settings(home=tmp_path))
    for view in (off_limits, again):
        assert view.suggesting(Place("my Chat")) is None
        assert view.learning(Place("my Chat")) == "excluded app"
        assert view.suggesting(Place("their chat")) == "excluded app"


def test_the_last_change_is_undone_and_that_too(off_limits: OffLimits) -> None:
    assert not off_limits.undo()
    before = off_limits.rules()
    off_limits.give("chat", "quiet")
    off_limits.give("CHAT", "exclude")
    mine = [(row.app, row.rule) for row in off_limits.rules() if row.source == "you"]
    assert mine == [("CHAT", "exclude")]
    assert off_limits.undo()
    assert off_limits.suggesting(Place("chat")) is None
    assert off_limits.learning(Place("chat")) == "excluded app"
    assert off_limits.undo()
    assert off_limits.suggesting(Place("chat")) == "excluded app"
    assert [row for row in off_limits.rules() if row.source != "you"] == before


def test_rules_of_the_settings(store: Store, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, exclude_apps=("bank*",), quiet_apps=("*notes*",), allow_apps=("*xterm*",)
    )
    off_limits = OffLimits(store, settings)
    assert off_limits.suggesting(Place("Banking")) == "excluded app"
    assert off_limits.suggesting(Place("my notes")) is None
    assert off_limits.learning(Place("my notes")) == "excluded app"
    assert off_limits.learning(Place("uxterm")) is None
    assert off_limits.learning(Place("konsole")) == "excluded app"
    off_limits.give("banking", "allow")
    assert off_limits.suggesting(Place("Banking")) is None, "what is said later counts"
