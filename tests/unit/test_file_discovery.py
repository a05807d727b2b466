"""What a folder's owner can put into it to keep its reader busy, or to lead it elsewhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from reading import write

from idiolect.daemon.sources.file_discovery import Exclusion, IgnoreRules, find
from idiolect.daemon.sources.items import Skipped

FIND = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from idiolect.daemon.sources.file_discovery import find
from idiolect.daemon.sources.items import Skipped
root = Path(sys.argv[1])
found = list(find(root, ()))
print(json.dumps([
    [path.name for path in found if isinstance(path, Path)],
    [one.reason for one in found if isinstance(one, Skipped)],
]))
"""


def found(root: Path) -> tuple[list[str], list[str]]:
    """What is found and what is skipped, in a process of its own: what hangs in a regex cannot be interrupted."""
    done = subprocess.run([sys.executable, "-c", FIND, root], capture_output=True, text=True, check=True)
    names, reasons = json.loads(done.stdout)
    return names, reasons


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 60 + "*b", "a/**/" * 60 + "b", "**/*a" * 60 + "b", "[!b]*" * 60 + "c", "*a" * 500 + "b"],
)
def test_patterns_that_lead_a_backtracking_regex_astray_are_matched_at_once(
    tmp_path: Path, pattern: str
) -> None:
    folder = tmp_path.joinpath(*["a"] * 40)
    folder.mkdir(parents=True)
    (folder / f"{'a' * 200}.md").write_text("text")
    (tmp_path / ".idiolectignore").write_text(pattern)
    assert found(tmp_path)[0] == [f"{'a' * 200}.md"]


def _link(path: Path) -> None:
    (path.parent / "patterns").write_text("*.txt\n")
    path.symlink_to("patterns")


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "link": _link,
    "large": lambda path: path.write_text(("#" * 63 + "\n") * 1025),
    "long line": lambda path: path.write_text("*a" * 30_000),
    "many lines": lambda path: path.write_text("".join(f"{n}\n" for n in range(9000))),
    "many states": lambda path: path.write_text("".join(f"{'*a' * 30}{n}\n" for n in range(900))),
    "no patterns": lambda path: path.write_text("!\n"),
}


@pytest.mark.parametrize("why", UNUSABLE)
def test_a_folder_whose_ignore_file_cannot_be_used_is_left_out_and_said_so(tmp_path: Path, why: str) -> None:
    for name in ("a.md", "inner/b.md", "inner/below/c.md"):
        write(tmp_path / name, "text")
    UNUSABLE[why](tmp_path / "inner" / ".idiolectignore")
    names, reasons = found(tmp_path)
    assert names == ["a.md"]
    assert "with an .idiolectignore that cannot be used" in reasons


def test_the_note_names_the_file_and_what_is_wrong(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".idiolectignore")
    (skipped,) = (one for one in find(tmp_path, ()) if isinstance(one, Skipped))
    assert skipped.note is not None
    assert "not a regular file" in skipped.note
    assert str(tmp_path / ".idiolectignore") in skipped.note
    assert IgnoreRules().covers(tmp_path / "a.md", tmp_path)


@pytest.mark.parametrize("name", ["a\nb", os.fsdecode(b"\xff")])
def test_names_that_are_no_plain_text_are_matched_too(tmp_path: Path, name: str) -> None:
    (tmp_path / ".idiolectignore").write_text("/*/private.md\n")
    (tmp_path / name).mkdir()
    assert IgnoreRules().covers(tmp_path / name / "private.md", tmp_path)
    assert not IgnoreRules().covers(tmp_path / name / "public.md", tmp_path)


def test_what_a_folder_link_leads_to_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.md").write_text("text")
    link = tmp_path / "notes.md"
    link.symlink_to("private")
    assert [getattr(one, "reason", one) for one in find(link, ())] == ["symbolic link"]


def test_globs_of_the_settings_are_matched_in_linear_time() -> None:
    code = (
        "from pathlib import Path\n"
        "from idiolect.daemon.sources.file_discovery import Exclusion\n"
        "globs = ['*a' * 60 + '*b', '/' + '*a' * 60 + '/b', '?*' * 60 + '/b/*c']\n"
        "path = Path('/', *['a' * 200] * 18)\n"
        "assert not Exclusion(globs).covers(path, Path('/'))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert Exclusion(["*a" * 60 + "*b"]).covers(Path("/" + "a" * 200 + "b"), Path("/"))
