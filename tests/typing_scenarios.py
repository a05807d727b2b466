"""The table of scenarios in `tests/scenarios`: how it is read, and how its rows run against the session alone.

A scenario is a sentence and the indented lines below it, each a verb and what belongs to it. `|` ends a text that ends
in a space, or stands where the cursor is; `⏎` ends a line. In an `answer` commas part the words, `/` comes before the
grey text, `teh→the` replaces what is typed, and `!` says that the service is sure. Verbs:

- `in`: the program (`silent`: it reports nothing; `stubborn`: it deletes nothing); `many lines`: its field has several.
- `type`, `key`, `late` (typed, not reported yet), `report`, `puts` (the program changes the text), `undoes`, `click`.
- `answer`, `hidden answer` (the words are not worth a look), `answer [prefix]`; `corrects`: what the service knows.
- `wait` (seconds), `leaves`, `comes back`, `choose` (a line of the menu), `keys` (its user's own: what for, which).
- `service` (`deaf`, `hears`; `quiet`, `loud`, `paused`, `resumed`: another program has told it so).
- What holds then: `stands`, `shows`, `hints` (its keys), `note`, `asked`, `passed`, `used` (the last key), `menu`,
  `no menu`, `title`.
- `not: browser`: a row that this door cannot run, and why.
- What was done since: `told` (outcomes), `sent` (requests), `learns` (once all fields are left).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from idiolect.daemon.session import effects, events, keysyms
from idiolect.daemon.session.engine import Engine
from idiolect.daemon.session.key_table import read_key
from idiolect.daemon.session.session import Session

FOLDER = Path(__file__).parent / "scenarios"
KEYS = {
    "BackSpace": 0xFF08,
    "Tab": 0xFF09,
    "Return": 0xFF0D,
    "Escape": 0xFF1B,
    "Home": 0xFF50,
    "Left": 0xFF51,
    "Up": 0xFF52,
    "Right": 0xFF53,
    "Down": 0xFF54,
    "dead_acute": 0xFE51,
    "Shift": 0xFFE1,
    "Alt": 0xFFE9,
}
MODIFIERS = {"Shift": 1 << 0, "Ctrl": 1 << 2, "Alt": 1 << 3, "release": 1 << 30}
READ_S = 0.2  # after an answer: what is shown can be read


@dataclass(frozen=True)
class Scenario:
    """A row of the table: its sentence, and its steps as line number, verb and rest."""

    file: str
    name: str
    steps: list[tuple[int, str, str]] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)  # doors that cannot run it

    def __str__(self):
        return f"{self.file}: {self.name}"


HAPPENS = (
    *(
        "in",
        "many lines",
        "type",
        "key",
        "late",
        "report",
        "puts",
        "undoes",
        "click",
        "hidden answer",
        "answer",
    ),
    *("corrects", "wait", "leaves", "comes back", "choose", "service", "keys"),
)
HOLDS = (
    *(
        "stands",
        "shows",
        "hints",
        "note",
        "asked",
        "passed",
        "used",
        "no menu",
        "menu",
        "title",
        "told",
        "sent",
    ),
    "learns",
)


def scenarios(*files, door=None):
    """The scenarios of files by name, or of all; those that a door can run."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        if files and path.stem not in files:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line[:1] in "#" or not line.strip():
                continue
            if not line.startswith(" "):
                found.append(Scenario(path.stem, line.strip()))
                continue
            step = line.strip()
            if step.startswith("not: "):
                found[-1].barred.append(step.split()[1])
                continue
            verb = next(verb for verb in (*HAPPENS, *HOLDS) if step == verb or step.startswith(f"{verb} "))
            rest = step[len(verb) + 1 :].replace("⏎", "\n").replace("␛", "\x1b")
            found[-1].steps.append((number, verb, rest))
    return [one for one in found if door not in one.barred]


def text_of(rest):
    return rest.removesuffix("|")


def key_of(name):
    """X's number of a key's symbol and of its modifiers, as of `Ctrl+Right` or `Alt+1`."""
    *held, key = name.split("+") if name != "+" else ["+"]
    value = KEYS.get(key) or (ord(key) if len(key) == 1 else read_key(key).value)
    return value, sum(MODIFIERS[one] for one in held)


class Row:
    """Runs one scenario: a program, a service that answers as the scenario says, and a session between them."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.session = Session(learns=True)
        self.engine = Engine(self.session, self)
        self.now_s, self.text, self.behind = 1000.0, "", ""
        self.reports = self.deletes = True
        self.client, self.used = "gtk3-im:editor", False
        self.asked, self.note = None, ""
        self.shown = effects.ShowSuggestions()
        self.told, self.sent, self.learned = [], [], []
        self.hears, self.paused, self.known = True, False, {}
        self.keys, self.quiet, self.asked_in_quiet = {}, False, False

    def run(self):
        begun = False
        for number, verb, rest in self.scenario.steps:
            if verb not in ("in", "corrects", "keys") and not begun:
                begun = True
                self.begin()
            try:
                name = verb.replace(" ", "_")
                getattr(self, f"has_{name}" if verb in HOLDS else f"do_{name}")(rest)
            except AssertionError as error:
                raise AssertionError(f"line {number}, {verb} {rest}: {error}") from None

    # What happens

    def happen(self, event, engine=None):
        self.carry_out(self.session.handle(event, engine, now_s=self.now_s, unix_s=self.now_s))

    def carry_out(self, due):
        for _, effect in due:
            match effect:
                case effects.AnswerKey(_, used):
                    self.used = used
                case effects.InsertText(text, replaced):
                    kept = len(self.text) - (replaced if self.deletes else 0)
                    self.text = self.text[:kept] + text
                case effects.ShowSuggestions():
                    self.shown, self.note = effect, effect.note
                case effects.AskService():
                    self.asked, self.asked_in_quiet = effect, self.quiet
                    self.answer_known(effect)
                case effects.TellOutcome(body):
                    self.told.append(
                        f"{body['kind']} {body['outcome']} {body['characters']}".removesuffix(" 0")
                    )
                case effects.SendRequest(path="/v1/feedback", body=body):
                    self.told.append(f"correction {body['outcome']} {body['word']}")
                case effects.SendRequest():
                    self.reply(effect)
                case effects.LearnText(body):
                    self.learned.append(body["text"])

    def reply(self, request):
        self.sent += [request.path] if request.path != "/v1/status" else []
        if self.hears and request.path in ("/v1/pause", "/v1/resume"):
            self.paused = request.path == "/v1/pause"
        if self.hears and request.path.startswith("/v1/quiet"):
            self.quiet = request.path == "/v1/quiet"
        reply = self.told_always() if self.hears else None
        self.happen(events.Replied(request, reply))

    def told_always(self):
        """What the service says with each answer."""
        return {"paused": self.paused, "quiet": self.quiet, "keys": {**self.keys}}

    def answer_known(self, ask):
        """Answer by what the service knows of the word that has just ended."""
        ended = re.search(r"(\S+)([\s.,!?])\Z", ask.prefix)
        if ended and ended[1] in self.known:
            self.say(ask, [], f"{ended[1]}→{self.known[ended[1]]}!")

    def begin(self):
        self.happen(events.CapabilitiesTold(reports=self.reports, preedit=True), self.engine)
        self.do_comes_back("")

    def do_comes_back(self, _rest):
        self.happen(events.FocusCame("/context", self.client), self.engine)
        self.do_report("")

    def do_leaves(self, _rest):
        self.happen(events.FocusGone(), self.engine)

    def do_in(self, rest):
        name, *how = rest.split()
        self.reports, self.deletes = "silent" not in how, "stubborn" not in how
        self.client = f"gtk3-im:{name}"

    def do_many_lines(self, _rest):
        self.happen(events.CursorMoved(100, 10, 10), self.engine)
        self.do_key("Return")
        self.happen(events.CursorMoved(0, 20, 10), self.engine)
        self.text = ""

    def do_report(self, rest):
        if rest:
            self.text, _, self.behind = rest.partition("|")
        at = len(self.text)
        self.happen(events.TextReported(self.text + self.behind, at, at), self.engine)

    def do_puts(self, rest):
        self.text = text_of(rest)

    def do_undoes(self, rest):
        self.do_key("Ctrl+z")
        self.text = text_of(rest)
        self.do_report("")

    def press(self, value, state=0):
        self.happen(events.KeyPressed(value, 0, state), self.engine)
        if self.used or state:
            return
        if value == KEYS["BackSpace"]:
            self.text = self.text[:-1]
        elif value == KEYS["Return"]:
            self.text += "\n"
        else:
            self.text += keysyms.character(value) or ""

    def do_key(self, rest):
        for name in rest.split():
            self.do_report("")
            self.press(*key_of(name))
            self.do_report("")

    def do_type(self, rest):
        for char in text_of(rest):
            self.do_report("")
            self.press(ord(char))
            self.do_report("")

    def do_late(self, rest):
        for char in text_of(rest):
            self.press(KEYS["Return"] if char == "\n" else ord(char))

    def do_click(self, rest):
        self.happen(events.WordClicked(int(rest) - 1), self.engine)

    def do_wait(self, rest):
        self.now_s += float(rest)
        self.happen(events.Ticked())

    def do_service(self, rest):
        if rest in ("quiet", "loud"):
            self.quiet = rest == "quiet"
        elif rest in ("paused", "resumed"):
            self.paused = rest == "paused"
        else:
            self.hears = rest == "hears"

    def do_keys(self, rest):
        self.keys.update([rest.split()])

    def do_corrects(self, rest):
        self.known.update([tuple(rest.split("→"))])

    def do_choose(self, rest):
        line, _, checked = rest.partition(" ")
        self.happen(events.LineChosen(line, checked == "on"), self.engine)

    # Answers

    def do_answer(self, rest, *, listed=True):
        prefix, _, told = rest[1:].partition("] ") if rest.startswith("[") else (None, "", rest)
        ask = self.asked if prefix is None else effects.AskService(prefix, field=self.engine._fields)
        words, _, grey = told.partition("/")
        words = [word.strip() for word in words.split(",") if word.strip()]
        ended = next((word for word in words if "→" in word and not ask.prefix[-1:].isalnum()), None)
        self.say(ask, [word for word in words if word != ended], ended, grey.removeprefix(" "), listed=listed)
        self.now_s += READ_S

    def do_hidden_answer(self, rest):
        self.do_answer(rest, listed=False)

    def say(self, ask, *told, **more):
        answer = self.answer_to(ask.prefix, *told, **more)
        self.happen(events.Answered(ask, answer), self.engine)

    def answer_to(self, prefix, words, ended, grey="", *, listed=True):
        """What the service answers to a question about a prefix: nothing if it was quiet then."""
        words, ended, grey = ([], None, "") if self.asked_in_quiet else (words, ended, grey)
        offered = [self.word(word) for word in words]
        pieces = [{"text": text, "p": 0.9} for text in re.findall(r"\s*\S+", grey)]
        return {
            "words": offered,
            "ghost": {"text": grey, "p": 0.9, "show": grey != "", "words": pieces},
            "list": {"show": listed},
            "correction": ended and self.correction(ended, prefix),
            **self.told_always(),
            "sees_context": False,
        }

    def word(self, told):
        old, arrow, new = told.rpartition("→")
        return {
            "text": new.strip("~"),
            "p": 0.3,
            "replace": len(old) if arrow else 0,
            "grey": told.endswith("~"),
        }

    def correction(self, told, prefix):
        old, _, new = told.rpartition("→")
        end = prefix[len(prefix.rstrip(" .,!?")) :]
        text = {"text": new.strip("!~") + end, "replace": len(old + end), "p": 0.9}
        return {**text, "apply": "!" in new, "grey": "~" in new}

    # What holds

    def has_stands(self, rest):
        equal(self.text, text_of(rest))

    def has_shows(self, rest):
        words, _, grey = rest.partition("/")
        wanted = [word.strip() for word in words.split(",") if word.strip() not in ("", "nothing")]
        equal((list(self.shown.words), self.shown.ghost.strip("\xa0 ")), (wanted, grey.strip()))

    def has_hints(self, rest):
        equal(
            [*self.shown.word_keys, self.shown.ghost_key],
            [*rest.split(", "), *([""] * (not self.shown.ghost))],
        )

    def has_note(self, rest):
        equal(self.note, "" if rest == "nothing" else self.note if rest in self.note else rest)

    def has_asked(self, rest):
        asked, self.asked = self.asked, None
        equal(asked.prefix if asked else "nothing", text_of(rest))

    def has_passed(self, _rest):
        equal(self.used, False)

    def has_used(self, _rest):
        equal(self.used, True)

    def has_title(self, rest):
        equal(self.session.menu().title, f"idiolect: {rest}")

    def has_menu(self, rest):
        assert rest in [line.label for line in self.session.menu().lines], "no such line"

    def has_no_menu(self, rest):
        equal([line.label for line in self.session.menu().lines if rest in line.label], [])

    def has_told(self, rest):
        told, self.told = self.told, []
        wanted = [one for one in rest.split(", ") if one != "nothing"]
        kinds = {one.split()[0] for one in wanted or told}
        equal([one for one in told if one.split()[0] in kinds], wanted)

    def has_sent(self, rest):
        sent, self.sent = self.sent, []
        equal(sent, rest.split())

    def has_learns(self, rest):
        self.carry_out(self.session.finish())
        first, self.learned = self.learned[:1], self.learned[1:]
        equal(first, [] if rest == "nothing" else [rest])


def equal(found, wanted):
    assert found == wanted, f"found {found!r}"
