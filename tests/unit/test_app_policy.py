"""Fields for secrets, private windows and applications: where nothing is suggested, and where nothing is learned."""

import fnmatch
import re

import pytest

from idiolect.daemon.profile.app_policy import (
    NOWHERE,
    AppPolicy,
    InputContext,
)
from idiolect.daemon.profile.app_rules import (
    NoSuchAppRuleError,
    ProtectedAppError,
    RemoveAppRules,
    SetAppRule,
)
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.secret_apps import NEVER_HEARD


@pytest.fixture
def profile(store):
    return Profile(store)


@pytest.fixture
def app_policy(profile, tmp_path):
    return AppPolicy(profile, Settings(home=tmp_path))


SECRET_FIELDS = (
    *("password", "pin", "PIN", "Password", "new-password", "current-password", "one-time-code"),
    *("cc-number", "cc-csc", "cc-exp-month", "section-pay billing cc-number", "username webauthn"),
    *("GTK_INPUT_PURPOSE_PASSWORD", "GTK_INPUT_PURPOSE_PIN", "IBUS_INPUT_PURPOSE_PIN"),
    *("hidden_text", "sensitive_data", "ImhSensitiveData", "textWebPassword", "numberPassword"),
    *("textVisiblePassword", "newPassword", "oneTimeCode", "creditCardNumber", "smsOTPCode"),
)
OTHER_FIELDS = (
    *("", "normal", "free-form", "alpha", "digits", "number", "phone", "url", "email", "name", "date", "on"),
    *("off", "street-address", "given-name", "username", "cc", "spinner", "shipping postal-code", "search"),
    *("textMultiLine", "GTK_INPUT_PURPOSE_FREE_FORM", "something-new"),
)


def test_fields_for_secrets_are_known_by_their_usual_names_and_others_are_fine(app_policy):
    for purpose in (*SECRET_FIELDS, *OTHER_FIELDS):
        place, why = InputContext(input_purpose=purpose), None if purpose in OTHER_FIELDS else "secret field"
        assert app_policy.suggesting(place) == app_policy.learning(place) == why, purpose


def test_private_windows_are_off_limits_and_saying_nothing_changes_nothing(app_policy):
    assert app_policy.suggesting(InputContext("editor", private=True)) == "private"
    assert app_policy.learning(InputContext("editor", private=True)) == "private"
    assert app_policy.suggesting(NOWHERE) is app_policy.learning(NOWHERE) is None


@pytest.mark.parametrize("app", ["KeePassXC", "org.keepassxc.KeePassXC", "1Password 8", "Bitwarden.exe"])
def test_password_managers_are_always_off_limits(profile, app_policy, app):
    assert (
        app_policy.suggesting(InputContext(app)) == app_policy.learning(InputContext(app)) == "excluded app"
    )
    for rule in ("allow", "quiet"):
        with pytest.raises(ProtectedAppError):
            profile.decide(SetAppRule(app, rule))
    profile.decide(SetAppRule("*", "allow"))
    assert app_policy.suggesting(InputContext(app)) == "excluded app"


#: Names of programs for secrets, as Flathub, Homebrew, Debian, their projects and app stores have them.
SECRET_APPS = """
    1password, 1Password 8, com.onepassword.OnePassword, com.1password.1password, com.agilebits.onepassword7, op,
    com.apple.keychainaccess, Keychain Access, com.apple.Passwords, Passwords, bitwarden, com.bitwarden.desktop,
    Bitwarden.exe, bitwarden_bitwarden.desktop, bw, rbw, com.quexten.Goldwarden, Buttercup, pw.buttercup.desktop,
    Dashlane, com.dashlane.Dashlane, com.dashlane.dashlanephonefinal, Elpass, app.elpass.macos, Enpass,
    in.sinew.Enpass-Desktop, Enpass.exe, secrets, Secrets, gnome-secrets, org.gnome.World.Secrets,
    org.gnome.World.Secrets.desktop, org.gnome.PasswordSafe, gnome-passwordsafe, gopass, gopass-ui, gopass-jsonapi,
    Gopass UI, keepass2, KeePass.exe, keepassx, keepassxc, org.keepassxc.KeePassXC, keepassxc-cli, kpcli, MacPass,
    com.hicknhacksoftware.MacPass, KeeWeb, net.antelle.keeweb, Keeper Password Manager,
    com.keepersecurity.passwordmanager, keeperpasswordmanager, Keeper, app.drey.KeyRack, key-rack, kwalletmanager5,
    org.kde.kwalletmanager5, org.kde.kwalletd6, kwalletd5, ksecretd, LastPass, com.lastpass.LastPass,
    com.lastpass.lastpassmacdesktop, lpass, nordpass, NordPass, com.nordpass.NordPass, com.nordsec.nordpass,
    NordPass.exe, Padloc, app.padloc, pass, passmenu, qtpass, QtPass, org.ijhack.QtPass, passage, wofi-pass,
    Passbolt, com.passbolt.mobile.android, pwsafe, pwsafe.exe, passwordsafe, Password Safe, password-gorilla,
    revelation, ProtonPass, Proton Pass, ProtonPass.exe, proton-pass, start-proton-pass, me.proton.Pass,
    me.proton.pass.electron, proton.android.pass, Psono, com.psono.psono, RoboForm, com.SiberSystems.RoboForm,
    roboform.exe, RoboTaskBarIcon.exe, robotaskbaricon-x64.exe, seahorse, org.gnome.seahorse.Application, Passwords
    and Keys, Sticky Password, Sticky Password.exe, StickyPassword, com.stickypassword.android, Strongbox, Strongbox
    Pro, com.markmcguill.strongbox, com.markmcguill.strongbox.mac.pro, Zoho Vault, com.zoho.vault,
    com.belmoussaoui.Authenticator, gnome-authenticator, authenticator, Yubico Authenticator,
    com.yubico.authenticator, com.yubico.yubioath, com.authy.Authy, Authy Desktop, com.authy.authy-mac, Ente Auth,
    io.ente.auth, io.ente.auth.mac, com.github.paolostivanin.OTPClient, otpclient, org.kde.keysmith, keysmith,
    numberstation, pinentry, pinentry-gnome3, pinentry-qt, org.gnupg.pinentry-qt, pinentry-mac, ssh-askpass,
    x11-ssh-askpass, gnome-ssh-askpass3, ksshaskpass, lxqt-openssh-askpass, gcr-prompter, Gcr-prompter,
    gcr4-prompter, polkit-gnome-authentication-agent-1, polkit-kde-authentication-agent-1,
    polkit-mate-authentication-agent-1, org.kde.polkit-kde-authentication-agent-1, lxqt-policykit-agent, lxpolkit,
    mate-polkit, xfce-polkit, ukui-polkit, hyprpolkitagent, com.apple.SecurityAgent, SecurityAgent,
    com.apple.loginwindow, CredentialUIBroker.exe, consent.exe, LogonUI.exe, veracrypt, org.idrix.VeraCrypt,
    VeraCrypt.exe, org.cryptomator.Cryptomator, cryptomator, io.github.mpobaschnig.Vaults, electrum,
    electrum-4.5.0.exe, org.electrum.electrum, Ledger Live, com.ledger.live, Trezor Suite, io.trezor.suite,
    io.trezor.TrezorSuite, org.getmonero.Monero, monero-wallet-gui
"""


def test_programs_for_secrets_are_off_limits_under_each_of_their_names(profile, app_policy):
    profile.decide(SetAppRule("*", "allow"))
    names = [" ".join(name.split()) for name in SECRET_APPS.split(",")]
    for name in names:
        spelled = [name, name.upper(), name.lower(), f"/opt/x/{name}", f"{name}.desktop", f" {name}"]
        spelled += [] if "." in name else [f"{name}_{name}", f"{name}_{name.lower()}.desktop"]  # of a Snap
        spelled += [rf"C:\Program Files\X\{name}", f"{name.removesuffix('.exe')}.exe", f"{name}.app"]
        for place in map(InputContext, spelled):
            assert app_policy.suggesting(place) == app_policy.learning(place) == "excluded app", place
        with pytest.raises(ProtectedAppError):
            profile.decide(SetAppRule(name, "quiet"))
    for pattern in NEVER_HEARD:
        fits = re.compile(fnmatch.translate(pattern), re.I)
        assert any(fits.match(name.removesuffix(".exe")) or fits.match(name) for name in names), pattern


LOOKALIKES = [
    *("secretsanta", "Secret Santa", "The Secret World", "org.example.Secretsanta", "secrets-of-the-deep"),
    *("passenger", "Compass", "org.gnome.Maps", "passport-photo", "passwords-game", "The Password Game"),
    *("Keepsake", "zookeeper", "bookkeeper", "org.example.TimeKeeper", "KeeperFX", "keyboard", "keynote"),
    *("strongboxing", "vaulting", "padlock", "Notes about 1 password", "dash", "nordvpn", "protonmail"),
    *("com.protonvpn.www", "Proton Mail", "robotics", "spectrum", "consents", "opera", "operator", "bwv"),
    *("firefox", "org.mozilla.Thunderbird", "com.apple.mail", "code", "LibreOffice Writer", "author"),
    *("passed", "authority", "How to choose passwords.md - gedit"),
    *("stardict", "football", "editor", "hyperlink-editor"),  # of terminals
]


def test_what_only_sounds_like_one_is_fine(app_policy):
    for place in map(InputContext, LOOKALIKES):
        assert app_policy.suggesting(place) is app_policy.learning(place) is None, place


def test_in_terminals_it_suggests_but_learns_nothing(profile, app_policy):
    for app in ("org.gnome.Terminal", "Konsole", "kitty", "foot", "iTerm2", "cmd.exe", "st"):
        assert app_policy.suggesting(InputContext(app)) is None
        assert app_policy.learning(InputContext(app)) == "excluded app"
        profile.decide(SetAppRule(app, "allow"))
        assert app_policy.learning(InputContext(app)) is None


def test_a_field_may_say_that_it_is_a_terminal(profile, app_policy):
    assert app_policy.learning(InputContext(input_purpose="terminal")) == "excluded app"
    assert app_policy.learning(InputContext("ide", "terminal")) == "excluded app"
    profile.decide(SetAppRule("ide", "allow"))
    assert app_policy.learning(InputContext("ide", "terminal")) is None


def test_the_newest_rule_decides_and_stays_over_a_restart(profile, app_policy, store, tmp_path):
    profile.decide(SetAppRule("*chat*", "exclude"))
    assert app_policy.suggesting(InputContext("my Chat")) == "excluded app"
    profile.decide(SetAppRule("my chat", "quiet"))
    again = AppPolicy(Profile(store), Settings(home=tmp_path))
    for view in (app_policy, again):
        assert view.suggesting(InputContext("my Chat")) is None
        assert view.learning(InputContext("my Chat")) == "excluded app"
        assert view.suggesting(InputContext("their chat")) == "excluded app"


def test_the_rules_of_one_pattern_are_removed(profile, app_policy):
    profile.decide(SetAppRule("chat", "quiet"))
    profile.decide(SetAppRule("mail", "exclude"))
    profile.decide(SetAppRule("Mail", "off"))
    profile.decide(RemoveAppRules("MAIL"))
    assert own(app_policy) == [("chat", "quiet")]
    assert app_policy.suggesting(InputContext("mail")) is None
    for pattern in ("mail", "*terminal*"):  # gone, and a built-in one
        with pytest.raises(NoSuchAppRuleError):
            profile.decide(RemoveAppRules(pattern))


def own(policy):
    """The rules that the user gave."""
    return [(row.app, row.rule) for row in policy.rules() if row.source == "you"]


def test_what_is_answered_is_seen_where_no_rule_says_otherwise(profile, app_policy, store, tmp_path):
    assert app_policy.sees_context(NOWHERE)
    assert app_policy.sees_context(InputContext("mail"))
    for blind in (InputContext("x", private=True), InputContext("x", "password"), InputContext("KeePassXC")):
        assert not app_policy.sees_context(blind)
    assert not AppPolicy(Profile(store), Settings(home=tmp_path, see_context=False)).sees_context(
        InputContext("mail")
    )
    profile.decide(SetAppRule("mail", "quiet"))
    profile.decide(SetAppRule("*mail", "off"))
    for policy in (app_policy, AppPolicy(Profile(store), Settings(home=tmp_path))):
        assert not policy.sees_context(InputContext("mail"))
        assert policy.suggesting(InputContext("mail")) is None, "the other rule holds on"
        assert policy.learning(InputContext("mail")) == "excluded app"
        assert policy.learning(InputContext("webmail")) is None, "whether it is seen says nothing of learning"
    profile.decide(SetAppRule("mail", "on"))
    assert app_policy.sees_context(InputContext("mail"))
    assert not app_policy.sees_context(InputContext("webmail"))
    profile.decide(SetAppRule("mail", "exclude"))
    assert not app_policy.sees_context(InputContext("mail"))
    with pytest.raises(ProtectedAppError):
        profile.decide(SetAppRule("KeePassXC", "on"))


def test_rules_of_the_settings(profile, tmp_path):
    settings = Settings(
        home=tmp_path, exclude_apps=("bank*",), quiet_apps=("*notes*",), allow_apps=("*xterm*",)
    )
    app_policy = AppPolicy(profile, settings)
    assert app_policy.suggesting(InputContext("Banking")) == "excluded app"
    assert app_policy.suggesting(InputContext("my notes")) is None
    assert app_policy.learning(InputContext("my notes")) == "excluded app"
    assert app_policy.learning(InputContext("uxterm")) is None
    assert app_policy.learning(InputContext("konsole")) == "excluded app"
    profile.decide(SetAppRule("banking", "allow"))
    assert app_policy.suggesting(InputContext("Banking")) is None, "what is said later counts"
