"""Programs that hold or ask for secrets, such as password managers, which are never listened to; and terminals.

A client names an application by its process, its window's class, its desktop file, its Flatpak or Snap, its bundle
(macOS) or its executable (Windows). The globs below, in any letter case, fit the names that the programs go by there,
which `tests/unit/test_app_policy.py` lists, and no look-alikes.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Final

_MANAGERS: Final = """
    *1password*, *onepassword*, op, *keychain*, com.apple.passwords*, passwords, *bitwarden*, bw, rbw, *goldwarden*,
    buttercup, pw.buttercup*, *dashlane*, elpass, app.elpass.*, *enpass*, secrets, gnome-secrets,
    org.gnome.world.secrets*, org.gnome.passwordsafe*, gnome-passwordsafe, gopass, gopass-*, gopass ui, *keepass*,
    kpcli, *macpass, *keeweb*, keeper, keeper password manager*, keeperpasswordmanager, com.keepersecurity.*,
    app.drey.keyrack*, key-rack, *kwalletmanager*, *kwalletd*, ksecretd, *lastpass*, lpass, *nordpass*, padloc,
    app.padloc*, pass, passmenu, passage, *qtpass*, wofi-pass, passbolt, com.passbolt.*, pwsafe, passwordsafe,
    password safe, password-gorilla, revelation, *protonpass*, proton pass*, *proton-pass*, me.proton.pass*,
    proton.android.pass*, psono, com.psono.*, *roboform*, robotaskbaricon*, *seahorse*, passwords and keys, sticky
    password*, stickypassword*, com.stickypassword.*, strongbox, strongbox pro, com.markmcguill.strongbox*, zoho
    vault*, com.zoho.vault*
"""
_ONE_TIME_CODES: Final = """
    *authenticator*, *authy*, ente auth, io.ente.auth*, *otpclient*, *keysmith*, *numberstation*, *yubioath*
"""
_PROMPTS: Final = """
    *pinentry*, *askpass*, *gcr-prompter*, *gcr4-prompter*, *polkit-*, *-polkit, *policykit*, lxpolkit,
    *polkitagent*, com.apple.securityagent, securityagent, com.apple.loginwindow, credentialuibroker, consent,
    logonui
"""
_ENCRYPTION: Final = """
    *veracrypt*, *cryptomator*, io.github.mpobaschnig.vaults*, electrum*, org.electrum.electrum*, *ledger live*,
    com.ledger.live*, *trezor*, org.getmonero.*, monero-wallet-gui
"""
#: What is typed there is mostly commands and, now and then, a password.
_TERMINALS: Final = """
    *terminal*, *terminator*, *terminology*, *konsole*, *xterm*, *rxvt*, *kitty*, *alacritty*, *wezterm*, *iterm*,
    *ghostty*, *cool-retro-term*, *blackbox*, tabby, warp, dev.warp.warp, *tilix*, *guake*, *yakuake*, *ptyxis*,
    *powershell*, *putty*, *tmux*, org.gnome.console, kgx, foot, footclient, st, st-256color, hyper,
    co.zeit.hyper, cmd.exe
"""


def _split(globs: str) -> tuple[str, ...]:
    return tuple(sorted(" ".join(part.split()) for part in globs.split(",")))


#: Globs of applications whose text is never taken, whatever `exclude_apps` adds.
NEVER_HEARD: Final = _split(f"{_MANAGERS},{_ONE_TIME_CODES},{_PROMPTS},{_ENCRYPTION}")
#: Globs of applications whose text is not learned unless the user allows it; suggestions are given.
TERMINALS: Final = _split(_TERMINALS)

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
