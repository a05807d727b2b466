"""Whatever is typed as an argument or an option's value, the command line never takes it for a mistake of its own."""

import contextlib
import io
import os
import sys
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program import every_command

from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.runtime import process
from idiolect.models.errors import ExitCode

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))

#: What a value may look like that nobody thought of. NUL cannot be in an argument.
HOSTILE = st.one_of(
    st.sampled_from(
        ["", " ", "-", "--", "inf", "-inf", "nan", "1e309", "-1", "0", "\udcff", "9" * 5000, "a" * 300]
    ),
    st.sampled_from(
        ["../" * 2000, "x" * 100_000, "~nobody-by-this-name/x", "*", "[", "\x1b[31m", "\u202e", "\ufeff"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(st.characters(exclude_characters="\0"), max_size=40),
    st.text(st.sampled_from("0123456789dhms:-TZ+."), max_size=30),
)
COMMANDS = dict(every_command())
#: Not tried: these fetch the base model, or go on as long as an editor does.
LONG = {"start", "lsp", "service"}
#: Tried in a profile without a service, since they end it, or take the profile away.
ALONE = {"stop", "purge", "lock", "unlock", "restore"}


def values(param):
    """Values of an argument or option: mostly hostile ones, sometimes what belongs there."""
    choices = param.type_descriptor.choices
    return (
        st.one_of(HOSTILE, st.sampled_from([str(getattr(c, "value", c)) for c in choices]))
        if choices
        else HOSTILE
    )


def is_there(word):
    """Whether it is a file or folder of this machine's, which nothing here is to read."""
    with contextlib.suppress(ValueError):  # a character that no name may have
        return os.path.exists(os.path.expanduser(word))
    return False


@st.composite
def lines(draw, command):
    """A command line of this command."""
    words = []
    for param in command.params:
        if param.param_type_name == "argument":
            if param.required or draw(st.booleans()):
                words += [
                    draw(values(param)) for _ in range(draw(st.integers(1, 2)) if param.nargs == -1 else 1)
                ]
        elif draw(st.integers(0, 2)) == 0 and param.name != "help":
            words.append(param.opts[0])
            words += [] if param.is_flag else [draw(values(param))]
    return words


@pytest.fixture(scope="module")
def served(tiny_profile, tmp_path_factory):
    """A profile whose service runs."""
    settings = tiny_profile(tmp_path_factory.mktemp("served") / "home")
    process.start(settings)
    yield settings.home
    process.stop(settings)


@pytest.mark.parametrize("name", sorted(name for name in COMMANDS if name.partition(" ")[0] not in LONG))
def test_no_argument_is_a_mistake_of_the_programs(name, tmp_path, served):
    command = COMMANDS[name]
    home = tmp_path if name in ALONE else served
    # Nothing that is tried must reach the tester's own profile or home.
    kept = {"IDIOLECT_HOME": str(home), "HOME": str(tmp_path), "COLUMNS": "100"}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    @given(lines(command), st.binary(max_size=40))
    def tried(words, typed):
        if any(map(is_there, words)):
            return
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, kept),
            mock.patch.object(sys, "argv", ["idiolect", *name.split(), *words]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8")),
            contextlib.chdir(tmp_path),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            command_table.main()
        assert left.value.code != ExitCode.UNEXPECTED, err.getvalue()
        assert "Traceback" not in err.getvalue()

    tried()
