"""Programs that hold or ask for secrets, such as password managers, and their names: never listened to.

A program may say that text comes from an application by its process, its window's class, its desktop file, its Flatpak
or Snap, its bundle (macOS) or its executable (Windows). `known_as` are such names as they were found in the place that
`source` names; `patterns` are the globs that fit them, in any letter case, and no look-alikes. A new row needs both.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class SecretApp:
    """One program, or several that ask for the same: its name, how it is told, and where that was found."""

    name: str
    patterns: tuple[str, ...]
    known_as: tuple[str, ...]
    source: str


_FLATHUB, _CASK, _DEBIAN, _OWN = "Flathub", "Homebrew's cask", "Debian's package", "its project"

PASSWORD_MANAGERS: Final = (
    SecretApp(
        "1Password",
        ("*1password*", "*onepassword*", "op"),
        ("1password", "1Password 8", "com.onepassword.OnePassword", "com.1password.1password",
         "com.agilebits.onepassword7", "op"),
        f"{_FLATHUB}, {_CASK}",
    ),
    SecretApp(
        "Apple Passwords and Keychain Access",
        ("*keychain*", "com.apple.passwords*", "passwords"),
        ("com.apple.keychainaccess", "Keychain Access", "com.apple.Passwords", "Passwords"),
        "bundle ids of macOS",
    ),
    SecretApp(
        "Bitwarden, rbw, Goldwarden",
        ("*bitwarden*", "bw", "rbw", "*goldwarden*"),
        ("bitwarden", "com.bitwarden.desktop", "Bitwarden.exe", "bitwarden_bitwarden.desktop", "bw", "rbw",
         "com.quexten.Goldwarden"),
        f"{_FLATHUB}, {_CASK}",
    ),
    SecretApp("Buttercup", ("buttercup", "pw.buttercup*"), ("Buttercup", "pw.buttercup.desktop"), _CASK),
    SecretApp(
        "Dashlane",
        ("*dashlane*",),
        ("Dashlane", "com.dashlane.Dashlane", "com.dashlane.dashlanephonefinal"),
        _CASK,
    ),
    SecretApp("Elpass", ("elpass", "app.elpass.*"), ("Elpass", "app.elpass.macos"), _CASK),
    SecretApp("Enpass", ("*enpass*",), ("Enpass", "in.sinew.Enpass-Desktop", "Enpass.exe"), _CASK),
    SecretApp(
        "GNOME Secrets, before that Password Safe",
        ("secrets", "gnome-secrets", "org.gnome.world.secrets*", "org.gnome.passwordsafe*", "gnome-passwordsafe"),
        ("secrets", "Secrets", "gnome-secrets", "org.gnome.World.Secrets", "org.gnome.World.Secrets.desktop",
         "org.gnome.PasswordSafe", "gnome-passwordsafe"),
        f"{_FLATHUB}, {_DEBIAN}",
    ),
    SecretApp(
        "gopass and Gopass UI",
        ("gopass", "gopass-*", "gopass ui"),
        ("gopass", "gopass-ui", "gopass-jsonapi", "Gopass UI"),
        f"{_OWN}, {_CASK}",
    ),
    SecretApp(
        "KeePass, KeePassX, KeePassXC",
        ("*keepass*", "kpcli"),
        ("keepass2", "KeePass.exe", "keepassx", "keepassxc", "org.keepassxc.KeePassXC", "keepassxc-cli", "kpcli"),
        f"{_FLATHUB}, {_DEBIAN}, {_CASK}",
    ),
    SecretApp(
        "MacPass, KeeWeb",
        ("*macpass", "*keeweb*"),
        ("MacPass", "com.hicknhacksoftware.MacPass", "KeeWeb", "net.antelle.keeweb"),
        _CASK,
    ),
    SecretApp(
        "Keeper",
        ("keeper", "keeper password manager*", "keeperpasswordmanager", "com.keepersecurity.*"),
        ("Keeper Password Manager", "com.keepersecurity.passwordmanager", "keeperpasswordmanager", "Keeper"),
        _CASK,
    ),
    SecretApp(
        "Key Rack", ("app.drey.keyrack*", "key-rack"), ("app.drey.KeyRack", "key-rack"), _FLATHUB
    ),
    SecretApp(
        "KWallet and its manager",
        ("*kwalletmanager*", "*kwalletd*", "ksecretd"),
        ("kwalletmanager5", "org.kde.kwalletmanager5", "org.kde.kwalletd6", "kwalletd5", "ksecretd"),
        f"{_FLATHUB}, {_DEBIAN}",
    ),
    SecretApp(
        "LastPass",
        ("*lastpass*", "lpass"),
        ("LastPass", "com.lastpass.LastPass", "com.lastpass.lastpassmacdesktop", "lpass"),
        _CASK,
    ),
    SecretApp(
        "NordPass",
        ("*nordpass*",),
        ("nordpass", "NordPass", "com.nordpass.NordPass", "com.nordsec.nordpass", "NordPass.exe"),
        f"{_FLATHUB}, {_CASK}",
    ),
    SecretApp("Padloc", ("padloc", "app.padloc*"), ("Padloc", "app.padloc"), f"{_CASK}, {_OWN}"),
    SecretApp(
        "pass, QtPass, passage",
        ("pass", "passmenu", "passage", "*qtpass*", "wofi-pass"),
        ("pass", "passmenu", "qtpass", "QtPass", "org.ijhack.QtPass", "passage", "wofi-pass"),
        f"{_DEBIAN}, {_CASK}",
    ),
    SecretApp(
        "Passbolt", ("passbolt", "com.passbolt.*"), ("Passbolt", "com.passbolt.mobile.android"), _OWN
    ),
    SecretApp(
        "Password Safe, Password Gorilla, Revelation",
        ("pwsafe", "passwordsafe", "password safe", "password-gorilla", "revelation"),
        ("pwsafe", "pwsafe.exe", "passwordsafe", "Password Safe", "password-gorilla", "revelation"),
        f"{_DEBIAN}, {_OWN}",
    ),
    SecretApp(
        "Proton Pass",
        ("*protonpass*", "proton pass*", "*proton-pass*", "me.proton.pass*", "proton.android.pass*"),
        ("ProtonPass", "Proton Pass", "ProtonPass.exe", "proton-pass", "start-proton-pass", "me.proton.Pass",
         "me.proton.pass.electron", "proton.android.pass"),
        f"{_FLATHUB}, {_CASK}",
    ),
    SecretApp("Psono", ("psono", "com.psono.*"), ("Psono", "com.psono.psono"), "Google Play"),
    SecretApp(
        "RoboForm",
        ("*roboform*", "robotaskbaricon*"),
        ("RoboForm", "com.SiberSystems.RoboForm", "roboform.exe", "RoboTaskBarIcon.exe", "robotaskbaricon-x64.exe"),
        f"{_CASK}, its Windows executables",
    ),
    SecretApp(
        "Seahorse (Passwords and Keys)",
        ("*seahorse*", "passwords and keys"),
        ("seahorse", "org.gnome.seahorse.Application", "Passwords and Keys"),
        f"{_FLATHUB}, {_DEBIAN}",
    ),
    SecretApp(
        "Sticky Password",
        ("sticky password*", "stickypassword*", "com.stickypassword.*"),
        ("Sticky Password", "Sticky Password.exe", "StickyPassword", "com.stickypassword.android"),
        "Google Play, its Windows executable",
    ),
    SecretApp(
        "Strongbox",
        ("strongbox", "strongbox pro", "com.markmcguill.strongbox*"),
        ("Strongbox", "Strongbox Pro", "com.markmcguill.strongbox", "com.markmcguill.strongbox.mac.pro"),
        "its source",
    ),
    SecretApp(
        "Zoho Vault", ("zoho vault*", "com.zoho.vault*"), ("Zoho Vault", "com.zoho.vault"), "Google Play"
    ),
)  # fmt: skip # several names to a line

AUTHENTICATORS: Final = (
    SecretApp(
        "Authenticators: GNOME's, Yubico's, Authy, Ente Auth, OTPClient, Keysmith, Numberstation",
        ("*authenticator*", "*authy*", "ente auth", "io.ente.auth*", "*otpclient*", "*keysmith*",
         "*numberstation*", "*yubioath*"),
        ("com.belmoussaoui.Authenticator", "gnome-authenticator", "authenticator", "Yubico Authenticator",
         "com.yubico.authenticator", "com.yubico.yubioath", "com.authy.Authy", "Authy Desktop", "com.authy.authy-mac",
         "Ente Auth", "io.ente.auth", "io.ente.auth.mac", "com.github.paolostivanin.OTPClient", "otpclient",
         "org.kde.keysmith", "keysmith", "numberstation"),
        f"{_FLATHUB}, {_DEBIAN}, {_CASK}",
    ),
)  # fmt: skip # several names to a line

PROMPTS: Final = (
    SecretApp(
        "prompts for passphrases: pinentry, ssh-askpass, gcr",
        ("*pinentry*", "*askpass*", "*gcr-prompter*", "*gcr4-prompter*"),
        ("pinentry", "pinentry-gnome3", "pinentry-qt", "org.gnupg.pinentry-qt", "pinentry-mac", "ssh-askpass",
         "x11-ssh-askpass", "gnome-ssh-askpass3", "ksshaskpass", "lxqt-openssh-askpass", "gcr-prompter",
         "Gcr-prompter", "gcr4-prompter"),
        _DEBIAN,
    ),
    SecretApp(
        "prompts for the system's password: polkit's agents, macOS, Windows",
        ("*polkit-*", "*-polkit", "*policykit*", "lxpolkit", "*polkitagent*", "com.apple.securityagent",
         "securityagent", "com.apple.loginwindow", "credentialuibroker", "consent", "logonui"),
        ("polkit-gnome-authentication-agent-1", "polkit-kde-authentication-agent-1",
         "polkit-mate-authentication-agent-1",
         "org.kde.polkit-kde-authentication-agent-1", "lxqt-policykit-agent", "lxpolkit", "mate-polkit", "xfce-polkit",
         "ukui-polkit", "hyprpolkitagent", "com.apple.SecurityAgent", "SecurityAgent", "com.apple.loginwindow",
         "CredentialUIBroker.exe", "consent.exe", "LogonUI.exe"),
        f"{_DEBIAN}, {_OWN}",
    ),
)  # fmt: skip # several names to a line

ENCRYPTION: Final = (
    SecretApp(
        "encrypted disks and folders: VeraCrypt, Cryptomator, Vaults",
        ("*veracrypt*", "*cryptomator*", "io.github.mpobaschnig.vaults*"),
        ("veracrypt", "org.idrix.VeraCrypt", "VeraCrypt.exe", "org.cryptomator.Cryptomator", "cryptomator",
         "io.github.mpobaschnig.Vaults", ),
        f"{_FLATHUB}, {_CASK}",
    ),
    SecretApp(
        "wallets: Electrum, Ledger Live, Trezor Suite, Monero",
        ("electrum*", "org.electrum.electrum*", "*ledger live*", "com.ledger.live*", "*trezor*", "org.getmonero.*",
         "monero-wallet-gui"),
        ("electrum", "electrum-4.5.0.exe", "org.electrum.electrum", "Ledger Live", "com.ledger.live", "Trezor Suite",
         "io.trezor.suite", "io.trezor.TrezorSuite", "org.getmonero.Monero", "monero-wallet-gui"),
        f"{_FLATHUB}, {_CASK}",
    ),
)  # fmt: skip # several names to a line

#: Everything that the program knows of this kind, under the headings that people look for.
ALL: Final = {
    "password managers": PASSWORD_MANAGERS,
    "one-time codes": AUTHENTICATORS,
    "prompts for passwords": PROMPTS,
    "encryption and wallets": ENCRYPTION,
}

#: Globs (any letter case) of applications whose text is never taken, whatever `exclude_apps` adds.
NEVER_HEARD: Final[tuple[str, ...]] = tuple(
    sorted({pattern for apps in ALL.values() for app in apps for pattern in app.patterns})
)

_NEVER = re.compile("|".join(map(fnmatch.translate, NEVER_HEARD)), re.I)
_ENDINGS: Final = re.compile(r"(\.exe|\.app|\.desktop|\.appimage|\.bin|-bin)+$", re.I)


def holds_secrets(app: str) -> bool:
    """Whether an application is one of these, by any of the names that it goes by.

    >>> holds_secrets("/usr/bin/pass"), holds_secrets("org.gnome.World.Secrets"), holds_secrets("secretsanta")
    (True, True, False)
    """
    return any(_NEVER.match(name) for name in (app, _bare(app)))


def _bare(app: str) -> str:
    """The name without the folder, the ending of an executable or a desktop file, or a Snap's doubling."""
    name = re.split(r"[/\\]", app.strip())[-1]
    name = _ENDINGS.sub("", name)
    first, _, second = name.partition("_")
    return first if second.casefold() == first.casefold() else name


#: Globs (any letter case) of terminals: what is typed there is mostly commands and, now and then, a password, so
#: it is not learned unless the user allows it. Suggestions are given.
TERMINALS: tuple[str, ...] = (
    "*terminal*",
    "*terminator*",
    "*terminology*",
    "*konsole*",
    "*xterm*",
    "*rxvt*",
    "*kitty*",
    "*alacritty*",
    "*wezterm*",
    "*iterm*",
    "*ghostty*",
    "*tilix*",
    "*guake*",
    "*yakuake*",
    "*ptyxis*",
    "*powershell*",
    "*putty*",
    "*tmux*",
    "org.gnome.console",
    "kgx",
    "foot",
    "footclient",
    "st",
    "st-256color",
    "hyper",
    "co.zeit.hyper",
    "cmd.exe",
)
