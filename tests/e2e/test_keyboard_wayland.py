"""The keyboard in sway, under Wayland, by input-method-v2 of IBus and Fcitx."""

import contextlib

import pytest
import wayland
from desktop import Editor, saved
from waiting import until

#: What is left of a mistyped word: IBus does not delete there.
LEFT = {"ibus": "lihgthouse", "fcitx": "lighthouse"}


@pytest.fixture(params=LEFT)
def editor(request, service, needs_program, tmp_path):
    of_door = {"ibus": ("ibus-daemon",), "fcitx": ("fcitx5", "g++")}[request.param]
    for program in ("sway", "dbus-daemon", "mousepad", *of_door):
        needs_program(program, program.removesuffix("-daemon"))
    service.ask("/v1/switches", corrections="apply")
    service.ask("/v1/words/add", kind="always_correct", text="lihgthouse", replacement="lighthouse")
    text = tmp_path / "text.txt"
    text.write_text("")
    with contextlib.closing(wayland.Wayland(tmp_path, service.settings.home, door=request.param)) as desktop:
        opened = Editor(desktop, "mousepad", ["mousepad", "--disable-server", str(text)], saved(text))
        yield opened
        opened.close()


def appears(editor, text, *keys, left):
    """Type a text and press keys, and all anew where it is not as it should be, since sway loses keys now and then."""

    def typed():
        editor.desktop.press("ctrl+a", "BackSpace")
        editor.desktop.rest()
        editor.desktop.type(text, delay_ms=60)
        editor.desktop.rest()
        editor.desktop.press(*keys)

    def there():
        assert "lihgthouse lighthouse" not in editor.text
        return editor.text == left

    typed()
    until(there, lambda: editor.text, again=typed)


def test_a_word_is_taken_and_mended_where_the_input_method_deletes(editor):
    appears(editor, "we saw lihgthouse ", left=f"we saw {LEFT[editor.desktop.door]} ")
    appears(editor, "the teal lighthouse keeper Zor", "alt+1", left="the teal lighthouse keeper Zorvelin")
