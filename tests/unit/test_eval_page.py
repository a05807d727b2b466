"""The page of `idiolect eval`: its structure, its figures, and that nothing in it leads outside."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib
import pytest

from idiolect.daemon.evaluation import eval_page

VOID = {"meta", "br", "hr", "img", "input", "link"}
PLOTS = ["words", "ghost", "growth", "calibration", "precision", "latency"]


def interval(value):
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def row(saved, ghost, precision):
    return {
        "messages": 62,
        "characters": 8123,
        "savings": {"1": interval(saved - 0.07), "3": interval(saved), "5": interval(saved + 0.03)},
        "ghost": {
            "whole": interval(ghost - 0.05),
            "words": interval(ghost),
            "ungated": interval(ghost + 0.04),
            "net": interval(ghost - 0.13),
            "shown_rate": 0.113,
            "precision": precision,
            "wrong_per_100": 3.412,
            "wrong_new_per_100": 1.07,
        },
    }


def arm(name, saved, ghost=0.12, precision: float | None = 0.61):
    return {
        "name": name,
        "condition": "before" if name == "base" else "after",
        "all": row(saved, ghost, precision),
        "no_repeats": row(saved - 0.1, ghost, precision),
        "latency_ms": {"p50": 0.004, "p90": 14.0, "p95": 21.0, "p99": 1234.56, "queries": 5123},
        "reliability": [
            {"predicted": 0.15, "actual": 0.25, "count": 1940},
            {"predicted": 0.95, "actual": 0.85, "count": 31},
        ],
    }


def measured():
    return {
        "made": "2026-11-25T17:20:05+00:00",
        "seed": 20,
        "source": "mail",
        "history": {
            "entries": 2714,
            "characters": 298114,
            "from": "2025-01-03T08:11:00Z",
            "to": "2026-09-30",
        },
        "test": {"entries": 62, "characters": 8123, "repeats": 5, "from": "2026-10-01", "to": "2026-11-24"},
        "adapter": {"id": 3, "status": "promoted", "reason": "perplexity fell by 23.4 %", "seconds": 98.4},
        "arms": [
            arm("both", 0.53),
            arm("base", 0.4),
            arm("adapter", 0.47),
            arm("context", 0.43),
            arm("memory", 0.49),
        ],
        "growth": [
            {"characters": 298114, "savings": interval(0.49)},
            {"characters": 0, "savings": interval(0.43)},
            {"characters": 9011, "savings": interval(0.45)},
        ],
    }


@pytest.fixture
def result():
    return measured()


@pytest.fixture(scope="module")
def html():
    return eval_page.render(measured())


@pytest.fixture(scope="module")
def found(html):
    return Page(html)


class Page(HTMLParser):
    """Elements with their attributes, texts and descendants. Tags that are not closed in order fail."""

    def __init__(self, html):
        super().__init__()
        self.root = self.at = {"tag": "", "attrs": {}, "inner": [], "text": "", "parent": None}
        self.feed(html)
        self.close()
        assert self.at is self.root, f"{self.at['tag']} is not closed"

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), "an attribute occurs twice"
        made = {"tag": tag, "attrs": dict(attrs), "inner": [], "text": "", "parent": self.at}
        self.at["inner"].append(made)
        if tag not in VOID:
            self.at = made

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.at["tag"] == tag
        self.at = self.at["parent"]

    def handle_data(self, data):
        at = self.at
        while at:
            at["text"] += data
            at = at["parent"]

    def all(self, tag=None, within=None):
        for element in (within or self.root)["inner"]:
            if tag in (None, element["tag"]):
                yield element
            yield from self.all(tag, element)

    def one(self, tag, within=None):
        (element,) = self.all(tag, within)
        return element

    def table(self, caption):
        """The cells of a table: one list a row, the row's heading first; white space made one."""
        (found,) = (t for t in self.all("table") if said(self.one("caption", t)) == caption)
        return [[said(cell) for cell in line["inner"]] for line in self.all("tr", found)]


def said(element):
    return " ".join(element["text"].split())


def page(result):
    return Page(eval_page.render(result))


def test_the_page_is_whole_and_its_references_lead_to_one_place_each(html, found):
    assert html.startswith("<!DOCTYPE html>")
    assert found.one("html")["attrs"]["lang"] == "en"
    assert len(list(found.all("h1"))) == 1
    ids = [element["attrs"]["id"] for element in found.all() if "id" in element["attrs"]]
    assert len(ids) == len(set(ids))
    named = [e["attrs"][a] for e in found.all() for a in ("aria-labelledby", "href") if a in e["attrs"]]
    used = {name.lstrip("#") for name in named} | set(re.findall(r"url\(#(\w+)\)", html))
    assert used <= set(ids)
    assert any(name.startswith("#") for name in named), "the plots have markers"


def test_nothing_is_loaded_and_nothing_runs(html, found):
    assert "://" not in html
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    for element in found.all():
        assert element["tag"] not in {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "image",
            "form",
            "base",
        }
        assert not [
            name for name in element["attrs"] if name.startswith("on") or name in {"src", "style:src"}
        ]
        assert element["attrs"].get("href", "#").startswith("#")
    policy = next(e["attrs"] for e in found.all("meta") if "http-equiv" in e["attrs"])
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_each_plot_is_named_described_and_also_a_table(found):
    figures = list(found.all("figure"))
    assert [figure["attrs"]["aria-labelledby"] for figure in figures] == PLOTS
    for figure in figures:
        drawn = found.one("svg", figure)["attrs"]
        assert drawn["role"] == "img"
        assert len(drawn["aria-label"]) > 40
        assert said(found.one("figcaption", figure))
        details = found.one("details", figure)
        assert said(found.one("summary", details)).startswith("As a table: ")
        assert list(found.all("table", details))
    for table in found.all("table"):
        assert (
            table["parent"]["attrs"] | {"class": "scroll", "role": "region", "tabindex": "0"}
            == table["parent"]["attrs"]
        )
        assert {cell["attrs"]["scope"] for cell in found.all("th", table)} == {"col", "row"}
        widths = {len(line["inner"]) for line in found.all("tr", table)}
        assert len(widths) == 1


def test_the_summary_says_in_words_what_was_measured(found):
    text = said(found.one("main"))
    assert "you would have typed 47 keystrokes for every 100 characters." in text
    assert "A fresh install would have needed 60: what was learned takes off 13." in text
    assert "That saves 53.0 % (51.0 to 55.0 %) of all keystrokes." in text
    assert "would have saved 12.0 %; of the ghosts shown, 61 % began with the right word." in text
    assert "Half of the suggestions came within 0.1 ms, 99 of 100 within 1,234.6 ms." in text
    assert "2,714 entries, 298,114 characters, 2025-01-03 to 2026-09-30" in text
    assert "62 entries, 8,123 characters, 2026-10-01 to 2026-11-24; 5 of them seen before" in text
    assert "adapter 3, promoted: perplexity fell by 23.4 % (98 s)" in text


@pytest.mark.parametrize(
    ("saved", "words"),
    [(0.35, "needed 60: what was learned costs 5."), (0.401, "needed 60, too."), (0.6, "takes off 20.")],
)
def test_the_summary_owns_up_to_what_was_learned_in_vain(result, saved, words):
    result["arms"][0] = arm("both", saved)
    assert words in said(page(result).one("main"))


def test_the_tables_hold_the_figures_of_each_arm_in_the_order_of_what_is_added(found):
    arms = ["Fresh install", "+ context", "+ memory", "+ adapter", "All together"]
    whole = {line[0]: line[1:] for line in found.table("The whole test")}
    assert whole["Measure"] == arms
    assert whole["Saved with 3 words, %"][0] == "40.0 38.0 to 42.0"
    assert whole["Saved with 3 words, %"][4] == "53.0 51.0 to 55.0"
    assert whole["Saved with ghost text, net, %"][0] == "−1.0 −3.0 to 1.0"
    assert whole["Characters"] == ["8,123"] * 5
    assert whole["Wrong ghosts per 100 characters"] == ["3.41"] * 5
    assert whole["Time to a suggestion, p99, ms"] == ["1,234.6"] * 5
    without = {line[0]: line[1:] for line in found.table("The test without repeats")}
    assert without["Saved with 3 words, %"][0] == "30.0 28.0 to 32.0"
    assert found.table("Keystrokes saved with three words") == [
        ["Characters", "Saved, %"],
        ["0", "43.0 41.0 to 45.0"],
        ["9,011", "45.0 43.0 to 47.0"],
        ["298,114", "49.0 47.0 to 51.0"],
    ]
    assert found.table("All together")[1:] == [["15.0", "25.0", "1,940"], ["95.0", "85.0", "31"]]


def test_what_a_result_lacks_is_left_out_and_said(result):
    result |= {
        "adapter": None,
        "growth": [],
        "arms": [arm("base", 0.4, ghost=0.0, precision=None), arm("memory", 0.49, precision=None)],
    }
    for one in result["arms"]:
        one |= {"reliability": [], "no_repeats": None}
    found = page(result)
    text = said(found.one("main"))
    names = [figure["attrs"]["aria-labelledby"] for figure in found.all("figure")]
    assert names == ["words", "ghost", "precision", "latency"]
    assert "51 keystrokes for every 100 characters" in text
    assert "none was trained" in text
    assert "; none was shown." in text
    assert "The history is too short to show how savings grow with it." in text
    assert "There were no ghosts whose probability could be compared with what came." in text
    assert "Nothing would be left." in text
    assert "All together" not in text
    assert found.table("Ghosts whose first word is right")[1:] == [["Fresh install", "–"], ["+ memory", "–"]]


def test_one_arm_one_size_of_history_and_no_repeats_make_a_page(result):
    result["arms"] = [arm("base", 0.4)]
    result["growth"] = [{"characters": 0, "savings": interval(0.4)}]
    result["test"]["repeats"] = 0
    text = said(page(result).one("main"))
    assert "fresh install would" not in text
    assert "No entry of the test equals an earlier one: the figures are the same." in text


def test_names_and_reasons_are_text_not_markup(result):
    hostile = "</title><script>alert('1')</script>\"&amp; $x^2$ {{ seed }}"
    result["source"] = result["adapter"]["reason"] = result["adapter"]["status"] = hostile
    found = page(result)
    assert not list(found.all("script"))
    assert said(found.one("title")) == f"What idiolect saves: {hostile}"
    assert said(found.one("main")).count(hostile) == 4


def test_the_same_result_makes_the_same_page_in_any_process(result, html):
    render = (
        "import json, sys; from idiolect.daemon.evaluation import eval_page; "
        "sys.stdout.write(eval_page.render(json.load(sys.stdin)))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", render], input=json.dumps(result), capture_output=True, text=True, check=True
    )
    assert elsewhere.stdout == html


def test_the_user_s_own_matplotlib_settings_neither_change_the_page_nor_are_changed(result, html):
    with matplotlib.rc_context({"font.size": 30, "xtick.labelsize": 30, "svg.fonttype": "path"}):
        assert eval_page.render(result) == html
        assert matplotlib.rcParams["font.size"] == 30


def test_the_service_does_not_import_matplotlib_with_the_page():
    check = (
        "import sys; from idiolect.daemon.evaluation import eval_page; sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
