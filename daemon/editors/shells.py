"""The scripts by which bash, zsh and fish suggest at their prompts."""

from __future__ import annotations

import shlex
import sys
from importlib import resources

from idiolect.daemon.endpoint.tokens import Scope, path_of
from idiolect.daemon.settings import Settings


def script(shell: str, settings: Settings, *, full_line: bool) -> str:
    """What a shell (`bash`, `zsh` or `fish`) evaluates when it starts; its helper is `shell_helper.py`."""
    # -P: a folder named like one of our imports in the current directory must not be taken for it.
    helper = [
        sys.executable,
        "-P",
        "-m",
        "idiolect.daemon.editors.shell_helper",
        "--run-dir",
        str(settings.run_dir),
    ]
    helper += ["--token-file", str(path_of(settings, Scope.SUGGEST)), *(["--full-line"] if full_line else [])]
    text = resources.files("idiolect.daemon.editors").joinpath(f"init.{shell}").read_text("utf-8")
    return text.replace("@HELPER@", shlex.join(helper)).replace("@FULL_LINE@", "yes" if full_line else "")
