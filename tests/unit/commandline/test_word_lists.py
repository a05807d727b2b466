"""Word lists of other programs are read, with nothing in them run, and the user's own words are written."""

import json
from itertools import product
from string import ascii_lowercase

import pytest

from idiolect.daemon.clients.commandline.word_list_files import MAX_WORDS, read_word_list

ESPANSO = r"""
imports: [/etc/passwd]
global_vars: [{name: now, type: date, params: {format: "%m"}}]
matches:
  - {trigger: ":lmk", replace: let me know}
  - triggers: [":yes", ":y"]
    replace: |
      Yes, gladly
  - {trigger: ":sh", replace: "{{out}}", vars: [{name: out, type: shell, params: {cmd: "touch /tmp/ran"}}]}
  - {trigger: ":sc", replace: plain, vars: [{name: out, type: script, params: {args: [touch, /tmp/ran]}}]}
  - {trigger: ":f", form: "Hello [[name]]"}
  - {trigger: ":g", replace: "at {{now}}"}
  - {trigger: ":c", replace: "<b>$|$</b>"}
  - {trigger: ":i", image_path: /tmp/a.png}
  - {regex: ":r(?P<x>.*)", replace: again}
  - {trigger: ":two", replace: "one\ntwo"}
  - {trigger: ":no", replace: no}
  - nothing
"""
LEFT_OUT = {"runs or fills in something": 8, "of several lines": 1}


@pytest.mark.parametrize(
    ("name", "text", "texts", "left_out"),
    [
        ("a.txt", "Zorvelin\n\n# not this\r\nsee  you\nZorvelin\nÆrø\t12\n", ["Zorvelin", "see you", "Ærø"], {}),
        ("a.txt", "\ufeffZorvelin", ["Zorvelin"], {}),
        ("a.txt", f"{'x' * 101}\nshort\n", ["short"], {"too long": 1}),
        ("a.dic", "3\nZorvelin/MS\nand\\/or\nkwia\tpo:noun\n", ["Zorvelin", "and/or", "kwia"], {}),
        ("a.dic", "OOoUserDict1\nlang: en\ntype: positive\n---\nZor=velin\nkwia==kwiat\n", ["Zorvelin", "kwia"], {}),
        ("a.yml", ESPANSO, ["let me know", "Yes, gladly", "no"], LEFT_OUT),
    ],
)  # fmt: skip # a file to a line
def test_each_kind_of_list_is_read(tmp_path, name, text, texts, left_out):
    (tmp_path / name).write_text(text, "utf-8", newline="")
    read = read_word_list(str(tmp_path / name))
    assert (read.texts, read.left_out) == (texts, left_out)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.txt", b"", "holds no word"),
        ("a.txt", b"\x7fELF\0\0\1", "is not text in UTF-8"),
        ("a.txt", "naïve".encode("latin-1"), "is not text in UTF-8"),
        ("a.txt", "naïve".encode("utf-16"), "is not text in UTF-8"),
        ("a.txt", "Zorvelin é".encode()[:-1], "is not text in UTF-8"),
        ("a.txt", b"a\n" * (1 << 23), "is longer than"),
        ("a.txt", b'{"words": ["Zorvelin"]}', "is no list of words"),
        ("a.txt", b"<html>\nZorvelin", "is no list of words"),
        ("a.dic", b"OOoUserDict1\nlang: en\nZorvelin\n", "is cut off"),
        ("a.dic", b"OOoUserDict1\ntype: negative\n---\nZorvelin\n", "lists words that are wrong"),
        ("a.yml", b"matches:\n  - {trigger: ':a', replace: 'b", "is no whole YAML"),
        ("a.yml", b"matches: !!python/object/apply:os.system [ls]", "holds no word"),
        ("a.yml", b"a: &a [b, b]\nmatches: *a", "repeats parts of itself"),
        ("a.yml", b"[" * 500_000, "is no whole YAML"),
        ("a.yml", b"- - - - - - - - - - - - - - - - - - - - - - a", "is nested too deeply"),
        ("a.yml", b"a\n---\nb", "holds no word"),
        ("a.yml", b"? [matches]\n: [{replace: a}]", "is nested too deeply"),
        ("a.yml", b"matches: [1, {replace: [1]}]", "holds no word"),
        ("no.txt", None, "cannot be read"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(run, service, tmp_path, name, data, why):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    code, out, err = run(service, "words", "import", tmp_path / name)
    assert (code, out) == (2, "")
    assert why in err
    assert "Traceback" not in err


def test_a_list_is_imported_after_a_look_and_taken_back_in_one(run, site, service, tmp_path):
    site.post("/v1/words/add", {"text": "kwia", "kind": "never"})
    path = tmp_path / "list.txt"
    path.write_text(
        "Zorvelin\nKwia\nbecause\nsee you at Zorvelin\nghp_9vXk2LmQ7rTzB4nYc8WfJ1sHd6EaUo3PgKiR\n...\n"
    )
    left_out = {"in every dictionary": 1, "secret": 1, "no word": 1, "decided": 1}
    added = ["Zorvelin", "see you at Zorvelin"]
    code, out, _ = run(service, "words", "import", path, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out) == {"added": added, "left_out": left_out, "dry_run": True}
    assert len(site.http.get("/v1/words").json()["rules"]) == 1
    code, out, _ = run(service, "words", "import", path)
    assert (code, "Now yours: 2." in out, "ghp_" in out) == (0, True, False)
    assert [rule["text"] for rule in site.http.get("/v1/words").json()["rules"]] == ["kwia", *added]
    code, out, _ = run(service, "words", "import", path, "--json")
    assert json.loads(out)["added"] == []
    run(service, "words", "undo")
    assert [rule["text"] for rule in site.http.get("/v1/words").json()["rules"]] == ["kwia"]
    run(service, "words", "remove", "kwia")


def test_of_a_long_list_the_first_that_are_new_are_taken_and_the_rest_is_counted(
    run, site, service, tmp_path
):
    path = tmp_path / "long.dic"
    new = [f"zq{''.join(end)}" for end in product(ascii_lowercase, repeat=3)]
    path.write_text("\n".join(["200000", "because", *(f"{word}/S" for word in new), "Zqaaa"]))
    code, out, _ = run(service, "words", "import", path, "--json")
    told = json.loads(out)
    left_out = {"in every dictionary": 1, "after the first 10,000 new ones": len(new) - 10_000 + 1}
    assert (code, told["added"], told["left_out"]) == (0, new[:10_000], left_out)
    assert [rule["text"] for rule in site.http.get("/v1/words").json()["rules"]] == new[:10_000]
    run(service, "words", "undo")
    path.write_text("\n".join(f"zq{number}" for number in range(MAX_WORDS + 7)))
    read = read_word_list(str(path))
    assert (len(read.texts), read.left_out) == (MAX_WORDS, {"after the first 200,000": 7})


def test_words_are_exported_with_counts_and_can_be_imported_again(run, knowing, tmp_path):
    site = knowing()
    text = "Zorvelin and Zorvelin met the kwiaciarnia. Code 48213."
    site.post("/v1/history", {"text": text, "source": "test"})
    site.post("/v1/words/add", {"text": "see you there", "kind": "mine"})
    site.post("/v1/words/add", {"text": "the", "kind": "never"})
    _, out, _ = run(site.settings, "words", "export")
    lines = dict(line.split("\t") for line in out.splitlines())
    path = tmp_path / "own.txt"
    assert run(site.settings, "words", "export", path)[0] == 0
    assert path.read_text("utf-8") == out
    code, _, err = run(site.settings, "words", "export", path)
    assert (code, "name another file" in err, path.read_text("utf-8")) == (2, True, out)
    assert read_word_list(str(path)).texts == [*lines]
    assert out.startswith("Zorvelin\t2\n")
    assert lines == {"see you there": "0", "Zorvelin": "2"} | dict.fromkeys(
        ("Code", "and", "kwiaciarnia", "met"), "1"
    )
