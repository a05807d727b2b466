"""The page of an evaluation: one HTML file with tables and plots that loads and runs nothing.

matplotlib draws the plots as SVG, which then lose what a page must not have (a document type, ids that
occur twice, fixed colours); the template `evalpage.html` puts figures, tables and words around them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from importlib import resources
from io import StringIO
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import Template
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ARMS = {
    "base": "Fresh install",
    "context": "+\N{NO-BREAK SPACE}context",
    "memory": "+\N{NO-BREAK SPACE}memory",
    "adapter": "+\N{NO-BREAK SPACE}adapter",
    "no context": "Without context",
    "both": "All together",
}
_GIVEN = ("name", "all", "no_repeats", "latency_ms", "reliability")
_BARS = {"1": "1 word", "3": "3 words", "5": "5 words"}
_GHOSTS = {"whole": "whole", "words": "word by word", "ungated": "ungated", "net": "net"}
_PERCENTILES = ["p50", "p90", "p95", "p99"]
_FINEST_MS = 0.1  # what is faster is drawn and written as this
_AIM = 0.6  # of the precision of ghosts

_MEANINGS = {
    "Keystrokes saved": "1 − keystrokes / characters, for somebody who looks at every suggestion and takes a right "
    "one as soon as it is there. People miss some, so they save less.",
    "Interval": "The small print beside a figure, or the line through a point: where 95 of 100 such figures lie when "
    "messages are drawn again and again from those typed (a bootstrap).",
    "Words on the bar": "One keystroke takes a word that is offered, and types the space after it.",
    "Ghost text": "A continuation shown after the cursor. Whole: one key takes all of it, if all of it is right. Word "
    "by word: one key a word, as far as it is right. Ungated: word by word, as if the ghosts that the program holds "
    "back were shown too. Net: word by word, less half a keystroke for reading each new wrong ghost.",
    "Precision": "Of the positions with a ghost on the screen, those where its first word is right.",
    "Wrong ghosts": "Positions with a ghost whose first word is wrong. New are those where it is not merely what is "
    "left of the wrong one shown a character before.",
    "Time": f"From the question to the answer, one question at a time. Less than {_FINEST_MS} ms is shown as that.",
}
_SERVED = {
    "base": "The program before it has learned anything.",
    "context": "A fresh install that sees the most recent entries before what is typed.",
    "memory": "The same, and the fast memory of all that was learned.",
    "adapter": "A fresh install with context and the adapter trained on the history, without the memory.",
    "no context": "Memory and adapter, without recent entries before what is typed.",
    "both": "All that is served: context, memory and adapter.",
}

# A plot is drawn for a phone: its units are CSS pixels there, and a wider page scales it up.
_WIDTH = 340
# Colours are the page's, which has a light and a dark theme: these stand for them while a plot is drawn.
_INK, _MUTED, _LINE, _ONE, _TWO = (f"#00000{digit}" for digit in range(1, 6))
_COLOURS = {_INK: "ink", _MUTED: "muted", _LINE: "line", _ONE: "one", _TWO: "two"}
_SERIES = ((_TWO, "s"), (_ONE, "o"), (_INK, "^"), (_MUTED, "D"))  # shapes tell them apart as well
_STYLE: dict[Any, Any] = {  # by matplotlib's names of its settings
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "legend.handlelength": 1,
    "legend.handletextpad": 0.3,
    "legend.columnspacing": 1,
}


@dataclass(frozen=True, eq=False)
class _Arm:
    """One way of serving: its name for people; the rest as in the result."""

    name: str
    label: str
    all: dict[str, Any]
    no_repeats: dict[str, Any] | None
    latency_ms: dict[str, float]
    reliability: list[dict[str, float]]


def render(result: dict[str, Any]) -> str:
    """The page, as HTML, for what `idiolect eval` measured. The same result makes the same page."""
    order = list(_ARMS)
    given = sorted(result["arms"], key=lambda arm: order.index(arm["name"]))
    arms = [_Arm(label=_ARMS[arm["name"]], **{name: arm[name] for name in _GIVEN}) for arm in given]
    named = {arm.name: arm for arm in arms}
    served = named.get("both") or named.get("memory") or arms[-1]
    judged = [arm for arm in arms if arm.name in ("base", served.name) and arm.reliability]
    growth = sorted(result["growth"], key=lambda point: point["characters"])
    return _template().render(
        result=result,
        arms=arms,
        base=named.get("base"),
        served=served,
        growth=growth,
        judged=judged,
        plots=_plots(arms, growth, judged),
        bars=_BARS,
        ghosts=_GHOSTS,
        percentiles=_PERCENTILES,
        aim=_AIM,
        meanings=_MEANINGS | {arm.label: _SERVED[arm.name] for arm in arms},
    )


# --- figures as text ---


def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = {"share": _share, "percent": _percent, "count": _count, "fixed": _fixed, "ms": _ms, "day": _day}
    environment.globals |= shown
    page = resources.files("idiolect.daemon").joinpath("evalpage.html").read_text("utf-8")
    return environment.from_string(page)


def _fixed(value: float | None, digits: int = 1) -> str:
    """A figure with so many digits, a dash where there is none. A minus is a minus sign, and never before 0."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−" if float(text.replace(",", "")) else "")


def _share(value: float | None) -> str:
    """A share in percent, where the column says so."""
    return _fixed(None if value is None else 100 * value)


def _percent(value: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return "–" if value is None else f"{_fixed(100 * value, digits)}\N{NO-BREAK SPACE}%"


def _count(value: int) -> str:
    return f"{value:,}"


def _ms(value: float) -> str:
    return _fixed(max(value, _FINEST_MS))


def _day(moment: str) -> str:
    """The day of an ISO 8601 moment."""
    return moment[:10]


# --- plots ---


def _plots(arms: list[_Arm], growth: list[dict[str, Any]], judged: list[_Arm]) -> dict[str, str]:
    """Each plot that there is something to show in, as SVG, by its name in the template."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user has set up for plots of their own
        matplotlib.rcParams.update(_STYLE)
        plots = {
            "words": _words(arms),
            "ghost": _ghost(arms),
            "precision": _precision(arms),
            "latency": _latency(arms),
        }
        if growth:
            plots["growth"] = _growth(growth)
        if judged:
            plots["calibration"] = _calibration(judged)
        return plots


def _words(arms: list[_Arm]) -> str:
    figure, axes = _rows(arms, 60)
    _intervals(axes, {name: [arm.all["savings"][bar] for arm in arms] for bar, name in _BARS.items()})
    axes.set_xlabel("keystrokes saved, %")
    said = _said(arms, lambda arm: _percent(arm.all["savings"]["3"]["value"]))
    return _svg(figure, "words", f"Keystrokes saved with three words: {said}.")


def _ghost(arms: list[_Arm]) -> str:
    figure, axes = _rows(arms, 60)
    drawn = [key for key in _GHOSTS if key != "ungated"]  # nobody's screen shows these
    _intervals(axes, {_GHOSTS[key]: [arm.all["ghost"][key] for arm in arms] for key in drawn})
    axes.axvline(0, color=_MUTED, linewidth=0.8)
    axes.set_xlabel("keystrokes saved, %")
    said = _said(arms, lambda arm: _percent(arm.all["ghost"]["words"]["value"]))
    return _svg(figure, "ghost", f"Keystrokes saved with ghost text, word by word: {said}.")


def _precision(arms: list[_Arm]) -> str:
    figure, axes = _rows(arms, 30)
    for row, arm in enumerate(arms):
        right = arm.all["ghost"]["precision"]
        if right is not None:
            axes.barh(row, 100 * right, height=0.55, color=_ONE)
        axes.text(102, row, "none shown" if right is None else _share(right), va="center", fontsize=10)
    axes.axvline(100 * _AIM, color=_TWO, linestyle="--", linewidth=2)
    axes.set(xlim=(0, 118), xticks=range(0, 101, 20), xlabel="ghosts whose first word is right, %")
    said = _said(arms, lambda arm: _percent(arm.all["ghost"]["precision"]))
    return _svg(figure, "precision", f"Ghosts whose first word is right: {said}. The aim is {_AIM:.0%}.")


def _latency(arms: list[_Arm]) -> str:
    from matplotlib.ticker import LogLocator

    figure, axes = _rows(arms, 36)
    rows = range(len(arms))
    times = [[max(arm.latency_ms[name], _FINEST_MS) for arm in arms] for name in _PERCENTILES]
    axes.hlines(rows, times[0], times[-1], color=_LINE, linewidth=2)
    for (colour, marker), name, values in zip(_SERIES, _PERCENTILES, times, strict=True):
        axes.plot(values, rows, marker, color=colour, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.minorticks_off()
    axes.set_xlabel("milliseconds, logarithmic")
    _legend(axes)
    said = _said(arms, lambda arm: f"{_ms(arm.latency_ms['p50'])} and {_ms(arm.latency_ms['p99'])}")
    return _svg(figure, "latency", f"Milliseconds that half and 99 of 100 suggestions stay within: {said}.")


def _growth(points: list[dict[str, Any]]) -> str:
    from matplotlib.ticker import EngFormatter

    figure = _figure(340)
    axes = figure.subplots()
    sizes = [point["characters"] for point in points]
    values, lows, highs = _percents([point["savings"] for point in points])
    axes.fill_between(sizes, lows, highs, color=_ONE, alpha=0.2, linewidth=0)
    axes.plot(sizes, values, "o-", color=_ONE, linewidth=2)
    for at in {0, len(points) - 1}:
        place = (sizes[at], highs[at])
        axes.annotate(_fixed(values[at]), place, (0, 4), textcoords="offset points", ha="center")
    # Logarithmic from the first text on; before it a stretch that holds zero.
    least = min(filter(None, sizes), default=1)
    steps = [digit * 10**power for power in range(10) for digit in (1, 3)]
    axes.set_xscale("symlog", linthresh=least, linscale=0.4)
    axes.set_xticks([0, *(step for step in steps if least <= step <= max(sizes))])
    axes.xaxis.set_major_formatter(EngFormatter(sep="\N{NO-BREAK SPACE}"))
    axes.set(xlabel="characters of history, logarithmic after 0", ylabel="keystrokes saved, %")
    axes.set_ylim(bottom=min(0, *lows))
    axes.margins(x=0.08)
    ends = (f"{_fixed(values[at])} % after {_count(sizes[at])} characters" for at in (0, -1))
    return _svg(figure, "growth", f"Keystrokes saved with three words: {', '.join(ends)}.")


def _calibration(arms: list[_Arm]) -> str:
    figure = _figure(340)
    axes, counts = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    axes.plot((0, 100), (0, 100), linestyle="--", color=_MUTED, label="as predicted")
    for arm in arms:
        fresh = arm.name == "base"
        colour, marker = _SERIES[0 if fresh else 1]
        predicted, actual = (
            [100 * tenth[key] for tenth in arm.reliability] for key in ("predicted", "actual")
        )
        axes.plot(predicted, actual, marker, color=colour, label=arm.label)
        beside = [x + (-1 if fresh else 1) for x in predicted]
        counts.bar(beside, [tenth["count"] for tenth in arm.reliability], 2, color=colour)
    axes.set(xlim=(0, 100), ylim=(0, 100), ylabel="right, %")
    counts.set(xlabel="predicted, %", ylabel="ghosts")
    _legend(axes)
    return _svg(figure, "calibration", "How probable ghosts were said to be, and how often they were right.")


def _said(arms: Sequence[_Arm], value: Callable[[_Arm], str]) -> str:
    return ", ".join(f"{arm.label} {value(arm)}" for arm in arms)


def _figure(height: int) -> Figure:
    """An empty plot; at 72 dots an inch, a unit of the SVG is a dot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(_WIDTH / 72, height / 72))


def _rows(arms: list[_Arm], height: int) -> tuple[Figure, Axes]:
    """A plot with a row an arm, the first on top."""
    figure = _figure(height * len(arms) + 70)
    axes = figure.subplots()
    axes.set_yticks(range(len(arms)), [arm.label for arm in arms])
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    return figure, axes


def _intervals(axes: Axes, series: dict[str, list[dict[str, float]]]) -> None:
    """In each arm's row, a point with its interval and its value for each series."""
    for place, ((colour, marker), (name, row)) in enumerate(zip(_SERIES, series.items(), strict=False)):
        rows = [at + 0.27 * (place - 1) for at in range(len(row))]
        values, lows, highs = _percents(row)
        axes.hlines(rows, lows, highs, color=colour, linewidth=2)
        axes.plot(values, rows, marker, color=colour, label=name)
        for at, high, value in zip(rows, highs, values, strict=True):
            text = _fixed(value)
            axes.annotate(text, (high, at), (5, 0), textcoords="offset points", va="center", fontsize=10)
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, 0), right + 0.12 * (right - min(left, 0)))
    _legend(axes)


def _percents(intervals: list[dict[str, float]]) -> list[list[float]]:
    """The values of these shares, their low ends and their high ends."""
    return [[100 * interval[key] for interval in intervals] for key in ("value", "low", "high")]


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(_SERIES), borderaxespad=0)


def _svg(figure: Figure, name: str, label: str) -> str:
    """The plot as an element of the page, with ``label`` for those who do not see it."""
    import matplotlib

    matplotlib.rcParams["svg.hashsalt"] = f"idiolect {name}"  # ids the same each time, and other in each plot
    written = StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    root = ET.fromstring(written.getvalue())  # noqa: S314 - matplotlib wrote it just now
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # in HTML the parser knows that it is SVG
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.items()}
        element.tail = None
        if element.tag == "g":
            element.attrib.pop("id", None)
    root.remove(root[0])  # a style sheet, which would be the whole page's
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": label}
    text = ET.tostring(root, encoding="unicode")
    for colour, variable in _COLOURS.items():
        text = text.replace(colour, f"var(--{variable})")
    return text
