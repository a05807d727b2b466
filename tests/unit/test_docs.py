"""The documents against the program: nothing of it undocumented, nothing documented that is not there."""

import ast
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from program import every_command
from publishing import publish
from serving import serving
from typer.core import TyperGroup
from typer.main import get_command

import idiolect.adapters
import idiolect.daemon
import idiolect.models
from idiolect.daemon.clients.commandline import command_table
from idiolect.daemon.endpoint import server
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.models.errors import ExitCode, IdiolectError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [code for kind, code in _FENCE.findall(page.read_text("utf-8")) if kind == language]


def sections(page: Path) -> dict[str, str]:
    """What stands under each heading of a page, code included."""
    found = {"": ""}
    heading, in_code = "", False
    for line in page.read_text("utf-8").splitlines():
        in_code ^= line.startswith("```")
        if line.startswith("#") and not in_code:
            heading = line.lstrip("# ")
            assert heading not in found, f"{page.name} has two sections called {heading}"
            found[heading] = ""
        else:
            found[heading] += line + "\n"
    return found


# --- the command line --------------------------------------------------------------------------------


def test_every_command_and_option_is_documented():
    text = (DOCS / "commands.md").read_text("utf-8")
    for name, command in every_command():
        usages = re.findall(rf"^ *- `idiolect {name}((?: [^`]*)?)`: \S", text, re.MULTILINE)
        assert usages, f"{name} is not documented"
        for param in command.params:
            shown = max(param.opts, key=len) if param.param_type_name == "option" else param.metavar
            assert shown == "--json" or any(shown in usage for usage in usages), f"{name}: {shown}"
            assert param.help, f"{name}: {param.name} has no help"
    for param in get_command(command_table.app).params:
        assert max(param.opts, key=len) in text


def documented_lines() -> list[tuple[str, str]]:
    """(page, line) of all that readers may type into a shell; a line that goes on is one line."""
    return [
        (page.name, line)
        for page in PAGES
        for code in blocks(page, "sh")
        for line in code.replace("\\\n", " ").splitlines()
    ]


def calls(line: str, program: str) -> list[list[str]]:
    """The arguments of each call of a program in a line of shell."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    found: list[list[str]] = []
    begins, current = True, None
    for word in words:
        if set(word) <= set("|;&()<>"):
            begins, current = "<" not in word and ">" not in word, None
        elif begins and re.fullmatch(r"[A-Z_]+=.*", word):
            continue
        elif begins:
            begins, current = False, [] if word.rpartition("/")[2] == program else None
            if current is not None:
                found.append(current)
        elif current is not None:
            current.append(word)
    return found


def test_documented_command_lines_are_understood():
    seen, program = set(), get_command(command_table.app)
    for page, line in documented_lines():
        for words in calls(line, "idiolect"):
            context = program.make_context("idiolect", words)  # raises where the line would be refused
            while isinstance(context.command, TyperGroup) and (
                left := context._protected_args + context.args
            ):
                name, command, rest = context.command.resolve_command(context, left)
                context = command.make_context(name, rest, parent=context)
                seen.add(f"{page}: {name}")
    assert len(seen) > 8


def test_documented_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    seen = set()
    for page, line in documented_lines():
        for arguments in calls(line, "make"):
            for argument in arguments:
                variable, given, _ = argument.partition("=")
                assert variable in makefile if given else argument in targets, f"{page}: {line}"
                seen.add(argument)
    assert {"start", "stop"} <= seen


# --- settings ----------------------------------------------------------------------------------------


def test_every_setting_is_documented():
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    assert rows == list(Settings.model_fields)


def test_the_example_of_a_settings_file_is_valid(tmp_path, monkeypatch):
    [example] = blocks(DOCS / "settings.md", "toml")
    (tmp_path / "config.toml").write_text(example)
    monkeypatch.setattr(os, "environ", {})
    settings = Settings(home=tmp_path)
    assert settings.threads == 1
    assert "drafts" in settings.exclude


# --- errors ------------------------------------------------------------------------------------------


def errors() -> list[type[IdiolectError]]:
    """Every error of the program that has a code of its own."""
    for package in (idiolect.models, idiolect.adapters, idiolect.daemon):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found, waiting = [], [IdiolectError]
    while waiting:
        waiting += (subclasses := waiting.pop().__subclasses__())
        found += [
            error
            for error in subclasses
            if error.__module__.startswith("idiolect.") and "code" in vars(error)
        ]
    return found


def test_every_error_is_documented():
    text = (DOCS / "errors.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (`.*) \|$", text, re.MULTILINE)
    documented = [(code, int(status)) for status, codes in rows for code in re.findall(r"`([\w-]+)`", codes)]
    assert sorted(documented) == sorted((error.code, error.http_status) for error in errors())


def test_every_code_has_one_meaning_and_every_exit_code_is_documented():
    assert [code for code, times in Counter(error.code for error in errors()).items() if times > 1] == []
    assert {type(error.exit_code) for error in errors()} == {ExitCode}
    text = (DOCS / "errors.md").read_text("utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \| [^`]", text, re.MULTILINE)] == [*ExitCode]


def reasons(path: Path, name: str, place: int) -> set[str]:
    """The strings that a module passes as the argument at `place` of calls of `name`."""
    return {
        constant.value
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == name and len(call.args) > place
        for constant in ast.walk(call.args[place])
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


def test_every_reason_for_skipping_a_file_is_documented():
    skipped = set().union(*(reasons(path, "Skipped", 1) for path in (ROOT / "daemon").glob("**/*.py"))) - {""}
    assert {"excluded", "binary", "unchanged", "lines too long"} <= skipped
    files = (DOCS / "files.md").read_text("utf-8")
    assert [reason for reason in skipped if f"`{reason}`" not in files] == []


# --- the endpoint ------------------------------------------------------------------------------------


def test_every_route_and_field_is_documented(tiny_service, tmp_path):
    running = process.Running(1, "http://127.0.0.1:1", 1, None, "2026-01-31T09:30:00+00:00")
    app = server.create_app(
        tiny_service, running=running, settings=Settings(home=tmp_path), places=lambda: None
    )
    found = {
        heading: text
        for heading, text in sections(DOCS / "endpoint.md").items()
        if re.match("[A-Z]+ /", heading)
    }
    routes = {
        f"{route.method} {route.path}": route for route in app.answered if route.scope is not Scope.NONE
    }
    assert found.keys() == routes.keys() | {"GET /health", "GET /healthz"}
    for name, route in routes.items():
        for field in route.asked.model_fields if route.asked else ():
            assert f"`{field}`" in found[name], f"{name}: {field} is not documented"


@pytest.fixture
def shell(tiny, tiny_profile, make_lora, tmp_path, needs_program, monkeypatch):
    """`shell(script)` runs a script as a reader would, beside a service that has learned; gives what it printed."""
    bash = needs_program("bash", "bash")
    needs_program("curl", "curl")
    for name in ("notes", "shared", ".config/chromium"):  # a browser that was started once
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    settings = tiny_profile(tmp_path / "profile", threads=1)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {
        "PATH": path,
        "HOME": str(tmp_path),
        "IDIOLECT_HOME": str(settings.home),
        "LC_ALL": "C.UTF-8",
    }

    def run(script, **variables):
        done = subprocess.run(
            [bash, "-euo", "pipefail", "-c", script],
            env={**environment, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    words = ["boat", "harbour", "noon", "please", "send", "figures", "again", "call", "me", "after", "thanks"]
    with serving(settings, RoundTuning(min_tokens=200, rank=4)) as site:
        for at in range(120):
            text = f"{' '.join(words[at % 9 : at % 9 + 3])} {at}"
            (tmp_path / "notes" / f"{at}.txt").write_text(text)
        list(site.service.imports.add([tmp_path / "notes"]))
        (tmp_path / "notes" / "new.txt").write_text("We sail at dawn.")
        seen = [entry.id for entry in site.service.store.entries.select()][:60]
        metrics = {"base_sha256": tiny.source_sha256}
        publish(site.service.store, blob=make_lora(tiny.config).to_bytes(), seen=seen, metrics=metrics)
        site.post("/v1/sync", {"action": "share", "folder": str(tmp_path / "shared")}).raise_for_status()
        yield run


def test_the_examples_with_curl_work_and_answer_as_documented(shell):
    page = sections(DOCS / "endpoint.md")
    [setup] = [code for kind, code in _FENCE.findall(page["The HTTP endpoint"]) if kind == "sh"]
    url, token = shell(f'{setup}\necho "$URL $TOKEN"').split()
    ask, tried = setup.splitlines()[-1], 0
    for heading, text in page.items():
        fences = [] if heading == "The HTTP endpoint" else _FENCE.findall(text)
        answers = [
            json.loads(line)
            for kind, code in fences
            if kind == "sh"
            for command in code.replace("\\\n", " ").replace('"chars": 2000', '"chars": 500').splitlines()
            for line in shell(f"{ask}\n{command}", URL=url, TOKEN=token).splitlines()
        ]
        tried += bool(answers)
        assert all("error" not in answer and answer.get("event") != "error" for answer in answers), (
            heading,
            answers,
        )
        for kind, code in fences:
            if kind == "json":
                shown = json.loads(code)
                assert any(_alike(shown, answer) for answer in answers), f"{heading}: {answers}"
    assert tried == len([heading for heading in page if re.match("[A-Z]+ /", heading)])


def _alike(shown, answer):
    """Whether an answer has the documented one's fields, and is the same kind of event."""
    return shown.keys() == answer.keys() and shown.get("event") == answer.get("event")


# --- the pages ---------------------------------------------------------------------------------------


def anchors(page: Path) -> list[str]:
    """The fragments that a page's headings get where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert len(set(anchors(page))) == len(anchors(page))
    text = _FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match("[a-z]+:", target):
            file, _, fragment = target.partition("#")
            led_to = page.parent / file if file else page
            assert led_to.exists(), target
            assert not fragment or fragment in anchors(led_to), target


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_and_tests_that_are_named_exist(page):
    text = (ROOT / page).read_text("utf-8")
    named = set(re.findall(r"\b(?:models|adapters|daemon|tests)/[\w/]+\.py(?:::\w+)?", text))
    assert len(named) > 10
    for one in named:
        file, _, test = one.partition("::")
        assert (ROOT / file).is_file(), one
        assert not test or f"def {test}(" in (ROOT / file).read_text("utf-8"), one


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text("utf-8")
    for page in PAGES:
        if page.name != "README.md":
            assert f"({page.relative_to(ROOT).as_posix()})" in text
