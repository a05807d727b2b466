"""The keyboard with a real service (of the tiny model), a real IBus, and real programs that are typed into."""

import contextlib
import json
import re
import subprocess

import desktop as session
import psutil
import pytest
from waiting import until

from idiolect.daemon.runtime import process

#: Each with a mistyped word of its own.
PROGRAMS = {
    "mousepad": "lgihthouse",
    "featherpad": "ligthhouse",
    "gnome-text-editor": "lighthuose",
    "chromium": "lighhtouse",
    "xterm": "lighthosue",
}
#: A password entry of GTK 3, which no small program has alone; IBus's packages bring what it is made of.
GTK_3_ENTRY = """
import gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
Gdk.set_program_class("password-entry")
entry = Gtk.Entry(visibility=False, input_purpose=Gtk.InputPurpose.PASSWORD)
entry.connect("activate", lambda _: (print(entry.get_text()), Gtk.main_quit()))
window = Gtk.Window()
window.add(entry)
window.show_all()
Gtk.main()"""
#: Programs that ask for a password: the system package, the window's class, the command, and what it is told.
ASKING = {
    "GTK 3": ("", "password-entry", ["/usr/bin/python3", "-c", GTK_3_ENTRY], ""),
    "GTK 4": ("zenity", "zenity", ["zenity", "--password"], ""),
    "Qt 6": ("pinentry-qt", "pinentry", ["pinentry-qt"], "GETPIN\nBYE\n"),
}
TELLING = ("mousepad", "featherpad", "gnome-text-editor")
SENTENCE = "the teal lighthouse keeper Zorvelin hums quietly at noon"
PAGE = """<!doctype html><title>|</title><textarea id=a rows=4 cols=60 autofocus></textarea>
<p id=b contenteditable></p><input id=c type=password>
<script>for (const e of [a, b, c]) e.addEventListener("input", () => {
  document.title = [a.value, b.innerText.trim(), c.value].join("|") });</script>"""


def open_desktop(service, needs_program, folder, door, *needs):
    for program, package in (
        ("Xvfb", "xvfb"),
        ("xdotool", "xdotool"),
        ("openbox", "openbox"),
        ("dbus-daemon", "dbus"),
        *needs,
    ):
        needs_program(program, package)
    config = service.settings.config_path
    config.write_text(config.read_text() + "keyboard_terminals = true\n")
    process.stop(service.settings)
    process.start(service.settings)
    service.ask("/v1/switches", corrections="apply")
    meant = {**dict.fromkeys(("lihgthouse", *PROGRAMS.values()), "lighthouse"), "zrovelin": "Zorvelin"}
    for typed, word in meant.items():
        service.ask("/v1/words/add", kind="always_correct", text=typed, replacement=word)
    for _ in range(50):  # ghost texts are shown to who takes them
        service.ask("/v1/feedback", kind="ghost", outcome="accepted", p=0.9, characters=10)
    for day in range(8):  # what was written once is not recited
        service.ask("/v1/history", text=f"{SENTENCE} on day {day}", source="test")
    return session.Desktop(folder, service.settings.home, door)


@pytest.fixture(scope="module")
def desktop(service, needs_program, tmp_path_factory):
    made = open_desktop(
        service, needs_program, tmp_path_factory.mktemp("desktop"), "ibus", ("ibus-daemon", "ibus")
    )
    yield made
    made.close()


def title(editor):
    """Three fields, joined by bars; bars at the end are left out."""
    shown = editor.desktop.output("xdotool", "getwindowname", editor.window)
    return re.sub(r"\|* - Chromium$", "", shown.strip())


def commands(folder):
    """By name: the system package, the window's class, the command, how the text is read, and the environment."""
    text, page = folder / "text.txt", folder / "page.html"
    text.write_text("")
    page.write_text(PAGE)
    chromium = ["--no-sandbox", "--no-first-run", "--password-store=basic", "--disable-gpu", "--lang=en"]
    return {
        "mousepad": ("mousepad", "mousepad", ["--disable-server", str(text)], session.saved(text), {}),
        "featherpad": ("featherpad", "featherpad", ["--standalone", str(text)], session.saved(text), {}),
        "gnome-text-editor": (
            "gnome-text-editor",
            "gnome-text-editor",
            ["--standalone", str(text)],
            session.saved(text),
            {"GSK_RENDERER": "cairo"},
        ),
        "chromium": (
            "chromium",
            "chromium",
            [*chromium, f"--user-data-dir={folder / 'chromium'}", page.as_uri()],
            title,
            {},
        ),
        "xterm": (
            "xterm",
            "xterm",
            ["-e", f"stty -icanon; cat > {text}"],
            lambda _: text.read_text().replace("x\x7f", "").replace("x\b", ""),
            {},
        ),
    }


@pytest.fixture
def editor(desktop, needs_program, tmp_path, request):
    name = getattr(request, "param", "mousepad")
    package, window, arguments, read, environment = commands(tmp_path)[name]
    opened = session.Editor(
        desktop, window, [needs_program(name.split()[0], package), *arguments], read, environment
    )
    yield opened
    opened.close()


@pytest.mark.parametrize(("editor", "mistyped"), PROGRAMS.items(), indirect=["editor"])
def test_words_ghost_texts_and_corrections_are_taken(service, desktop, editor, mistyped):
    taken = rf"q+\s+{desktop.take('the teal lighthouse keeper Zor', 'velin')}"
    desktop.type(" The lihgthouse ")
    desktop.rest()
    desktop.type(f"{mistyped} ")
    desktop.rest()
    if editor.name not in TELLING:  # what stands there cannot be deleted for certain
        desktop.type("is zrovelin")
        desktop.rest()
        desktop.type(".")
        editor.shows(rf"{taken} The lihgthouse {mistyped} is zrovelin\.")
        return
    desktop.press("BackSpace")
    desktop.rest()
    desktop.type("is zrovelin")
    desktop.offers()
    desktop.press("alt+1")
    desktop.type(".")
    editor.shows(rf"{taken} The lighthouse {mistyped} is Zorvelin\.")
    desktop.type(f" {mistyped} ")  # in this field it is left alone now; nothing is forbidden anywhere
    desktop.rest()
    editor.shows(rf"{taken} The lighthouse {mistyped} is Zorvelin\.\s+{mistyped}\s*")
    assert not [rule for rule in service.ask("/v1/words")["rules"] if rule["kind"] == "never_correct"]


@pytest.mark.parametrize("editor", ["mousepad", "featherpad"], indirect=True)
def test_a_fast_hand_has_its_words_corrected_and_nothing_else_changed(desktop, editor):
    for delay_ms in (10, 30):

        def are_corrected():
            """A word stays where a busy machine is a second late."""
            desktop.press("ctrl+a", "BackSpace")
            desktop.type("in a lihgthouse lgihthouse we sat down.", delay_ms=delay_ms)  # noqa: B023 (called here)
            desktop.rest()
            editor.shows(r"in a (lighthouse|lihgthouse) (lighthouse|lgihthouse) we sat down\.")
            return editor.text.startswith("in a lighthouse lighthouse ")

        session.wait_for(are_corrected, lambda: editor.text)


#: What comes between a slip and the answer about it, and what stands there then: nothing is mended any more.
BETWEEN = {
    ("Left", "Left"): "we saw lihgthouse ",
    ("ctrl+z",): "(?!.*lighthouse).*",
    ("dead_acute", "e"): "we saw lihgthouse .+",
    ("BackSpace", "x"): "we saw lihgthousex",
    ("shift+Left", "x"): "we saw lihgthousex",
}


def test_where_something_comes_between_a_slip_and_its_answer_the_text_is_as_typed(service, desktop, editor):
    running = psutil.Process(process.holder(service.settings))

    def comes(*keys):
        desktop.press("ctrl+a", "BackSpace")
        desktop.type("we saw lihgthouse")
        desktop.rest()
        running.suspend()
        desktop.type(" ")
        if keys:
            desktop.press(*keys)

    try:
        for keys, left in BETWEEN.items():
            comes(*keys)
            running.resume()
            desktop.rest()
            editor.shows(left)
        comes()
    except BaseException:
        running.resume()  # for the tests that follow
        raise
    running.kill()
    until(lambda: process.holder(service.settings) is None)
    process.start(service.settings)
    desktop.rest()
    # Nothing was typed since, so what is asked anew may mend it.
    editor.shows("we saw (lihgthouse|lighthouse) ")


#: Three fields each, and the milliseconds between two keys: Tab leaves them, though words go on as the first one does.
FORMS = (
    (("Tom", "Bonn", "geheim1"), 10),
    (("flour", "500 g", "2 tbsp"), 60),
)


def filled_in(desktop, program, fields, delay_ms):
    for place, value in enumerate(fields):
        if place:
            desktop.press("Tab", delay_ms=delay_ms)
        desktop.type(value, delay_ms=delay_ms)
    desktop.rest(program)


def test_tab_leaves_each_field_of_a_form(desktop, needs_program):
    zenity = needs_program("zenity", "zenity")
    for fields, delay_ms in FORMS:
        with subprocess.Popen(
            [zenity, "--forms", *(f"--add-entry={name}" for name in "abc")],
            env={**desktop.environment, "GSK_RENDERER": "cairo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as form:
            try:
                desktop.window("zenity")
                desktop.rest(form.pid)
                filled_in(desktop, form.pid, fields, delay_ms)
                desktop.press("Tab", "Tab", "space")  # to its last button
                assert form.wait(session.DEADLINE_S) == 0
                assert form.stdout.read() == f"{'|'.join(fields)}\n"
            finally:
                form.kill()


def test_what_is_typed_in_a_pause_is_not_learned_later_and_all_else_though_its_program_is_killed(
    desktop, editor
):
    desktop.type("words before a pause are fine ")
    desktop.rest()
    desktop.idiolect("pause")
    desktop.type("but the ultramarine sparrow is nobodys business ")
    desktop.rest()
    desktop.idiolect("pause", "--end")
    desktop.type("and here we learn of turquoise kestrels again.")
    desktop.rest()
    editor.shows(r".* again\.")
    editor.process.kill()
    editor.process.wait(session.DEADLINE_S)
    desktop.until_learned("turquoise kestrels")
    assert desktop.learned("ultramarine") == 0


@pytest.mark.parametrize("editor", ["chromium"], indirect=True)
def test_a_password_is_neither_offered_for_nor_learned(service, desktop, editor):
    for _ in range(2):  # through the editable part to the password
        desktop.press("Escape", "Tab")
        desktop.rest()
    desktop.type("the teal lighthouse keeper Zor")
    desktop.rest()
    assert not desktop.offering()
    desktop.press("1")
    editor.shows(r"q+\s*\|\|the teal lighthouse keeper Zor1")


@pytest.mark.parametrize("toolkit", ASKING)
def test_a_password_of_a_program_is_not_offered_for(desktop, needs_program, toolkit):
    package, window, command, told = ASKING[toolkit]
    if package:
        needs_program(command[0], package)
    asking = subprocess.Popen(
        command,
        env={**desktop.environment, "GSK_RENDERER": "cairo"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with asking, contextlib.ExitStack() as ended:
        ended.callback(asking.kill)
        asking.stdin.write(told)
        asking.stdin.close()
        desktop.window(window)
        desktop.rest(asking.pid)  # its window is there before its entry listens
        desktop.type("the teal lighthouse keeper Zor")
        desktop.rest()
        assert not desktop.offering()
        desktop.press("1")
        session.wait_for(
            lambda: desktop.press("Return") or asking.poll() is not None, f"the answer of {command[0]}"
        )
        assert "keeper Zor1\n" in asking.stdout.read()


MAIL = """On Monday, Ottoline Wibberly <o@wibberly.example> wrote:
> Shall we meet at the Kwarbelmoor or the Zwimbelfurt on Thursday?
> `rm -rf ~` \u202eesrever\u202c $(reboot)

"""


@pytest.fixture
def reply(desktop, needs_program, tmp_path, request):
    """An editor with a quoted mail, and the cursor below it; it tells the bus for screen readers what stands there.

    The second reads what it has saved.
    """
    text = tmp_path / "reply.txt"
    text.write_text(MAIL)
    name, alone = getattr(request, "param", ("mousepad", "--disable-server"))
    # GNOME's editor opens the texts of before, too, where it finds which these were.
    told = {"NO_AT_BRIDGE": "0", "GSK_RENDERER": "cairo", "XDG_DATA_HOME": str(tmp_path / "data")}
    opened = desktop.start(
        needs_program(name, name), alone, str(text), environment={**desktop.environment, **told}
    )
    desktop.window(name)
    desktop.rest()

    def saved():
        desktop.press("ctrl+s")  # again, since an editor that is busy may lose a key
        desktop.rest()
        return text.read_text().removesuffix("\n")

    reach_the_end(desktop, saved)
    yield opened, saved
    opened.kill()
    opened.wait()


def reach_the_end(desktop, saved):
    """Put the cursor at the end of the text: a window is there before it takes keys, and what was in front may stay."""
    written = saved()

    def reached():
        desktop.press("Escape", "ctrl+End")
        desktop.type("q")
        return "q" in saved()[len(written) :]

    session.wait_for(reached, saved)
    erase(desktop, saved, written)


def erase(desktop, saved, rest):
    """Take away what stands behind `rest`, and type again what a look at an older file took away too much."""

    def erased():
        now = saved()
        more, less = now[len(rest) :].strip("\n"), rest[len(now) :].strip("\n")
        if more:
            desktop.press(*["BackSpace"] * len(more))
        if less:
            desktop.type(less)
        return not (more or less)

    session.wait_for(erased, saved)


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (("mousepad", "--disable-server"), "Kwarbelmoor"),
        (("gnome-text-editor", "--standalone"), "Zwimbelfurt"),
    ],
    indirect=["reply"],
)
def test_the_names_in_a_quoted_mail_are_offered_below_it_and_none_of_it_is_learned(desktop, reply, name):
    editor, saved = reply
    # The first questions of a session come before anything is known of the field: where the focus goes is heard later.
    desktop.type("We are glad to come. ")
    desktop.rest()
    desktop.press("ctrl+f")
    desktop.rest()
    reach_the_end(desktop, saved)
    desktop.type("See you at the ")
    written = saved()
    assert written.endswith("\nWe are glad to come. See you at the ")

    def taken():  # a program that is busy tells too late what stands there
        erase(desktop, saved, written)
        desktop.type(name[:6], delay_ms=200)
        desktop.rest()
        if not desktop.offering():
            return False
        desktop.press("alt+1")
        return saved() == f"{written}{name}"

    session.wait_for(taken, saved)
    desktop.type(".")
    session.wait_for(lambda: saved() == f"{written}{name}.", saved)
    editor.terminate()
    editor.wait()
    desktop.until_learned("glad to come")
    assert desktop.learned("Ottoline") == desktop.learned("Shall we") == 0


def test_a_fast_hand_between_quoted_lines_changes_nothing_else_and_may_undo(desktop, reply):
    _, saved = reply

    def shows(expected):
        session.wait_for(lambda: saved() == expected.removesuffix("\n"), saved)

    desktop.press("Up", "Up", "Up", "End", delay_ms=10)
    desktop.type(" lihgthouse ", delay_ms=10)  # in what another wrote it stays
    desktop.press("Return", delay_ms=10)
    desktop.type("yes, of course, all four of us andd", delay_ms=10)
    desktop.press("BackSpace", delay_ms=10)
    desktop.type(" the dog\n\nthen no", delay_ms=10)
    desktop.rest()
    first, second = MAIL.split("\n> `")
    shows(f"{first} lihgthouse \nyes, of course, all four of us and the dog\n\nthen no\n> `{second}")
    for _ in range(60):
        desktop.press("ctrl+z", delay_ms=10)
    desktop.rest()
    shows(MAIL)


def test_what_stands_there_in_the_end_is_learned_and_no_password_is(desktop, editor):
    desktop.type("the vermilion harbour mastr")
    desktop.press("Escape", "BackSpace")
    desktop.type("er waves.")
    desktop.press("Return")
    desktop.type("A second line.")
    editor.shows(r"q+\s+the vermilion harbour master waves\.\nA second line\.")
    editor.close()
    desktop.until_learned("the vermilion harbour master waves.\nA second line.")
    assert desktop.learned("Zor1") == 0


def test_no_key_is_lost_or_doubled_whatever_happens_to_the_service(service, desktop, editor):
    """The service is stopped, goes on, is killed and comes again, while keys come 100 a second."""
    line = (
        "Every key of these lines stands in its place, at 12 or b4 noon; nothing is lost, nothing doubled.\n"
    )
    running = psutil.Process(process.holder(service.settings))
    events = iter(
        [running.suspend, running.resume, running.kill, lambda: process.start(service.settings), lambda: None]
    )
    for event in events:
        desktop.type(line, delay_ms=10)
        event()
    typed = (line * 5).rstrip("\n")
    session.wait_for(lambda: editor.text.rstrip("\n").endswith(f" {typed}"), lambda: editor.text)
    desktop.type("the teal lighthouse keeper Zor")

    def again():
        """Type the last letter anew: the service that was started may have been too late for it."""
        desktop.press("BackSpace")
        desktop.type("r")

    until(desktop.offering, again=again)


def test_nothing_typed_is_in_a_log_an_argument_or_an_environment(service, desktop):
    engine = desktop.engine()
    told = " ".join([*engine.cmdline(), *engine.environ().values()])
    logs = [*desktop.folder.glob("*.log"), *service.settings.log_path.parent.iterdir()]
    said = told + "".join(path.read_text(errors="replace") for path in logs)
    assert not [word for word in ("lighthouse", "vermilion", "Zorvelin") if word in said]
    assert engine.memory_info().rss < 100e6  # the target is 60; this only notices what went wrong


def test_status_says_how_it_stands_and_remove_takes_it_out(desktop):
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["place"], found["connected"], found["next_step"]) == ("keyboard", True, None)
    desktop.idiolect("setup", "keyboard", "--remove")
    assert "idiolect" not in desktop.output("ibus", "list-engine", "--name-only").split()
    [found, *_] = json.loads(desktop.idiolect("setup", "--json"))
    assert (found["connected"], found["next_step"]) == (False, "`idiolect setup keyboard`")
