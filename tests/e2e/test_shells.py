"""Suggestions at the prompt: real shells in a terminal, with a real service (of the tiny model)."""

import os
import subprocess

import psutil
import pytest
from program import IDIOLECT
from waiting import DEADLINE_S

from idiolect.daemon.endpoint import tokens
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.runtime import process

KNOWN = "the teal lighthouse keeper Zorv"
RIGHT, WORD_RIGHT, ALT_I = "\x1b[C", "\x1bf", "\x1bi"


@pytest.fixture
def environment(service, tmp_path):
    script = tmp_path / "init"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "IDIOLECT_HOME": str(service.settings.home),
        "HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "INIT": str(script),
    }

    def prepare(shell, *options):
        made = subprocess.run(
            [*IDIOLECT, "shell-init", shell, *options],
            env=environment,
            capture_output=True,
            check=True,
        )
        script.write_bytes(made.stdout)
        return environment

    return prepare


@pytest.fixture
def shell(environment, terminal, needs_program, tmp_path):
    """`shell("zsh")`: it in a terminal, its script read; `git` prints its arguments there."""

    def start(name, *options):
        program = needs_program(name, name)
        variables = environment(name, *options)
        if name == "zsh":
            (tmp_path / ".zshrc").write_text(
                'PS1=\'%% \'; git() { print -r -- "[$*]" }; eval "$(cat $INIT)"\n'
            )
            command = [program, "-d", "-i"]
        elif name == "bash":
            (tmp_path / ".bashrc").write_text('PS1="% "; git() { echo "[$*]"; }; eval "$(cat $INIT)"\n')
            command = [program, "-i"]
        else:
            config = 'function fish_prompt; echo "% "; end; function git; echo "[$argv]"; end; source $INIT'
            command = [program, "--no-config", "-i", "-C", config]
        shell = terminal(command, variables)
        shell.until("%")
        return shell

    return start


COMMIT = f'% git commit -m "{KNOWN}'
GHOST = "elin hums quietly at"


def test_zsh_shows_a_ghost_text_in_a_commit_message_and_takes_it_at_the_line_s_end(shell):
    zsh = shell("zsh")
    zsh.keys(COMMIT[2:])
    zsh.until(COMMIT, grey=GHOST)
    zsh.keys("el")  # typed along
    zsh.until(f"{COMMIT}el", grey="in hums quietly at")
    zsh.keys(WORD_RIGHT)
    zsh.until(f"{COMMIT}elin", grey=" hums quietly at")  # the rest stands until it is contradicted
    zsh.keys("\x7f")
    zsh.until(f"{COMMIT}eli", grey="n hums quietly at")
    zsh.keys(f'{RIGHT}"\r')
    zsh.until(f'{COMMIT}{GHOST}"', f"[commit -m {KNOWN}{GHOST}]", "%")


def test_what_is_shown_and_not_taken_is_not_in_the_command(shell):
    zsh = shell("zsh")
    zsh.keys(COMMIT[2:])
    zsh.until(COMMIT, grey=GHOST)
    zsh.keys('"\r')
    zsh.until(f'{COMMIT}"', f"[commit -m {KNOWN}]", "%")
    zsh.keys(COMMIT[2:])
    zsh.until(f"[commit -m {KNOWN}]", COMMIT, grey=GHOST)
    zsh.keys("\r")  # the quotation mark is open still
    zsh.until(COMMIT, "dquote>")
    zsh.keys('"\r')
    zsh.until(COMMIT, 'dquote> "', f"[commit -m {KNOWN}", "]", "%")


def test_the_cursor_moves_as_ever_within_a_line(shell):
    zsh = shell("zsh")
    zsh.keys("git tag Zorv")
    zsh.keys(f"\x1b[D\x1b[D{RIGHT}x\x05y\r")
    zsh.until("% git tag Zorxvy", "[tag Zorxvy]", "%")


def test_zsh_suggests_commands_where_the_whole_line_is_wanted(shell, service, tmp_path):
    history = tmp_path / ".zsh_history"
    history.write_text(
        "".join(f": 17000000{n}:0;zquux --rebase upstream/frobnicate\n" for n in range(10, 40))
    )
    answer = service.ask("/v1/import", paths=[str(history)])
    assert answer["entries"] == 30
    zsh = shell("zsh", "--full-line")
    zsh.keys("zquux --reb")
    zsh.until("% zquux --reb", grey="ase")


def test_zsh_goes_on_with_a_service_that_was_started_anew_and_without_one(shell, service):
    zsh = shell("zsh")
    zsh.keys(COMMIT[2:])
    zsh.until(COMMIT, grey=GHOST)
    process.stop(service.settings)
    zsh.keys('s"\r')
    zsh.until(f'{COMMIT}s"', f"[commit -m {KNOWN}s]", "%")
    process.start(service.settings)
    zsh.keys(COMMIT[2:])
    zsh.until(COMMIT, grey=GHOST)


@pytest.mark.parametrize("name", ["bash", "fish"])
def test_a_key_inserts_what_goes_on(shell, name):
    terminal = shell(name)
    terminal.keys(COMMIT[2:])
    terminal.until(COMMIT)
    terminal.keys(ALT_I)
    terminal.until(f"{COMMIT}{GHOST}")
    terminal.keys('"\r')
    terminal.until(f'{COMMIT}{GHOST}"', f"[commit -m {KNOWN}{GHOST}]", "%")


def test_neither_text_nor_token_is_in_anybody_s_arguments_or_environment(shell, service):
    zsh = shell("zsh")
    zsh.keys(COMMIT[2:])
    zsh.until(COMMIT, grey=GHOST)
    token = tokens.path_of(service.settings, Scope.SUGGEST).read_text().strip()
    [helper] = [
        child
        for child in psutil.Process(zsh.process.pid).children(recursive=True)
        if "idiolect.daemon.editors.shell_helper" in child.cmdline()
    ]
    shown = " ".join([*helper.cmdline(), *helper.environ().values()])
    assert token not in shown
    assert "lighthouse" not in shown
    zsh.process.kill()
    psutil.wait_procs([helper], timeout=DEADLINE_S)
    assert not helper.is_running()
