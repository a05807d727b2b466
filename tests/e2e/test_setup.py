"""`idiolect setup neovim` and Debian's Neovim, as their user sees both: from nothing to a word that was taken."""

import os
import subprocess

from program import IDIOLECT
from waiting import DEADLINE_S


def test_neovim_is_set_up_suggests_and_is_as_before_afterwards(service, needs_program, terminal, tmp_path):
    nvim = needs_program("nvim", "neovim")
    surroundings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "HOME": str(tmp_path),
        "IDIOLECT_HOME": str(service.settings.home),
        "TERM": "xterm-256color",
    }

    def setup(*arguments):
        command = [*IDIOLECT, "setup", "neovim", *arguments]
        return subprocess.run(
            command, env=surroundings, capture_output=True, text=True, check=True, timeout=DEADLINE_S
        ).stdout

    said = setup("--yes")
    assert "It answers: after “Thanks for the ” it suggests" in said
    assert "Try it: Open a text" in said
    # The editor finds the profile by what was written, not by this variable.
    editor = terminal(
        [nvim, str(tmp_path / "letter.md")], {**surroundings, "IDIOLECT_HOME": str(tmp_path / "no")}
    )
    editor.until_there("letter.md")
    editor.type("ithe teal lighthouse keeper Zorv")
    editor.until_there("Zorvelin")  # the menu, by itself
    editor.type("\x0e\x19")  # Ctrl-N, Ctrl-Y
    editor.type(" hums\x1b:wq\r")
    assert editor.process.wait(timeout=DEADLINE_S) == 0
    assert (tmp_path / "letter.md").read_text() == "the teal lighthouse keeper Zorvelin hums\n"
    assert "as it was before" in setup("--remove")
    assert not (tmp_path / ".config" / "nvim" / "plugin" / "idiolect.lua").exists()
