"""The page of `idiolect eval` in a real browser: its widths, its themes, and what it asks for."""

import html
import json
import os
import subprocess

import pytest

from idiolect.daemon.evaluation import eval_page

# Stands around the page and reports on it; the page itself runs nothing.
AROUND = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><title></title>
<iframe srcdoc="{page}" style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
onload = () => {{
  const frame = document.querySelector("iframe"), page = frame.contentDocument, view = frame.contentWindow;
  const colour = (text) => text.match(/\\d+/g).map(Number);
  const light = (text) => colour(text).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = light(view.getComputedStyle(page.body).backgroundColor);
  const contrast = (text) => (Math.max(light(text), paper) + 0.05) / (Math.min(light(text), paper) + 0.05);
  for (const details of page.querySelectorAll("details")) details.open = true;
  const plots = [...page.querySelectorAll("svg")];
  document.title = JSON.stringify({{
    paper,
    wide: page.documentElement.scrollWidth,
    right: Math.max(...plots.map((plot) => plot.getBoundingClientRect().right)),
    drawn: plots.every((plot) => plot.getBoundingClientRect().height > 80),
    columns: new Set(plots.map((plot) => Math.round(plot.getBoundingClientRect().left))).size,
    smallest: Math.min(...[...page.querySelectorAll("svg text")].map((text) =>
      parseFloat(view.getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))),
    plotted: Math.min(...[...page.querySelectorAll("svg text")].map((text) =>
      contrast(view.getComputedStyle(text).fill))),
    written: Math.min(...[...page.querySelectorAll("p, strong, dt, dd, th, td, small, summary")].map((text) =>
      contrast(view.getComputedStyle(text).color))),
    loaded: view.performance.getEntriesByType("resource").length,
  }});
}};
</script>
"""


def interval(value):
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def arm(name, saved):
    ghost = {name: interval(saved / 3) for name in ("whole", "words", "ungated", "net", "seconds")}
    ghost |= {"shown_rate": 0.1, "precision": 0.6, "wrong_per_100": 3.4, "wrong_new_per_100": 1.1}
    row = {"messages": 62, "characters": 8123, "ghost": ghost}
    row |= {"savings": {bar: interval(saved) for bar in ("1", "3", "5")}}
    return {
        "name": name,
        "condition": "after",
        "all": row,
        "no_repeats": row,
        "latency_ms": {"p50": 3.1, "p90": 14.0, "p95": 21.0, "p99": 41.0, "queries": 5123},
        "reliability": [{"predicted": 0.55, "actual": 0.5, "count": 1940}],
    }


@pytest.fixture(scope="module")
def page():
    names = ("base", "context", "memory", "adapter", "no context", "both")
    return eval_page.render(
        {
            "made": "2026-11-25T17:20:05+00:00",
            "seed": 1,
            "source": "a-file-with-a-long-name-that-has-no-place-to-break-" * 3,
            "history": {"entries": 2714, "characters": 298114, "from": "2025-01-03", "to": "2026-09-30"},
            "test": {
                "entries": 62,
                "characters": 8123,
                "repeats": 5,
                "from": "2026-10-01",
                "to": "2026-11-24",
            },
            "adapter": {"id": 3, "status": "refused", "reason": "its gain may be chance", "seconds": 98.4},
            "arms": [arm(name, 0.4 + 0.03 * place) for place, name in enumerate(names)],
            "growth": [{"characters": size, "savings": interval(0.4)} for size in (0, 9011, 30104, 298114)],
        }
    )


@pytest.fixture
def browse(page, tmp_path, needs_program):
    """`browse(width, dark)`: what Chromium makes of the page, with all its tables open."""
    chromium = needs_program("chromium", "chromium")

    def look(width, dark):
        around = tmp_path / "around.html"
        around.write_text(AROUND.format(page=html.escape(page), width=width), encoding="utf-8")
        command = [
            chromium,
            "--headless",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium's sandbox refuses root
            "--disable-gpu",
            "--no-first-run",
            f"--user-data-dir={tmp_path / 'chromium'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--window-size=1400,900",
            "--dump-dom",
            around.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return json.loads(html.unescape(done.stdout.partition("<title>")[2].partition("</title>")[0]))

    return look


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_can_be_read(browse, width, dark):
    seen = browse(width, dark)
    assert seen["wide"] <= width
    assert seen["right"] <= width
    assert seen["columns"] == (1 if width == 360 else 2)
    assert seen["drawn"]
    assert seen["smallest"] >= 9
    assert (seen["paper"] < 0.05) is dark
    assert seen["plotted"] >= 4.5  # WCAG 2.2, success criterion 1.4.3
    assert seen["written"] >= 4.5
    assert seen["loaded"] == 0
