"""A user who writes German, and one who writes German and English, by the real program with its real model."""

import shutil

import pytest
from program import Program
from waiting import until

from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.question import Question
from idiolect.models.build import find_base
from idiolect.models.languages import word_list_paths

GERMAN = """\
Liebe Anna, vielen Dank für deine Nachricht. Ich bin gestern erst spät nach Hause gekommen.
Wir treffen uns am Samstag um zehn vor dem Bahnhof und fahren dann zusammen an den See.
Kannst du bitte noch Brot und Käse mitbringen? Den Rest habe ich schon eingekauft.
Das Wetter soll schön werden, aber nimm lieber eine Jacke mit, abends wird es kühl.
Ich habe mit meiner Mutter gesprochen, sie kommt leider nicht mit, weil sie arbeiten muss.
Melde dich, wenn du noch Fragen hast. Ich freue mich sehr auf das Wochenende!
"""
ENGLISH = """\
Hi Tom, thanks for the quick reply. I will have a look at the draft tomorrow morning.
Could you send me the new version of the slides before the meeting on Monday?
I think we should talk about the budget first and then about everything else.
The train was late again, so I had to wait for an hour and missed the first talk.
Let me know if you need anything else from me. I am looking forward to seeing you.
"""


def until_known(program, *languages):
    with program.client() as client:
        until(lambda: client.get("/v1/status").json()["languages"] == [*languages])


def test_a_user_with_german_text_is_offered_german_words(base_dir, tmp_path):
    letters = tmp_path / "letters.txt"
    letters.write_text("\n\n".join(GERMAN.splitlines()))
    program = Program(tmp_path / "profile", base_dir)
    program.run("start")
    try:
        assert program.json("status")["languages"] == ["en"]
        program.run("add", letters)  # some long paragraphs are enough, and no new start
        until_known(program, "de", "en")
        assert "Haus" in program.run("suggest", "Das ist ein schönes Hau")
        words = program.run("suggest", "Ich denke, dass wir morgen ")
        assert {"the", "and", "to"}.isdisjoint(WORD.findall(words))
        assert "für" in program.run("suggest", "Vielen Dank fur ")
    finally:
        program.run("stop")


def test_who_has_written_nothing_is_offered_words_of_the_systems_language(base_dir, tmp_path):
    program = Program(tmp_path / "profile", base_dir)
    program.env |= {"LC_ALL": "de_DE.UTF-8"}
    program.run("start")
    try:
        until_known(program, "de", "en")
        assert program.json("suggest", "Vielen Dank für Ihre ")["words"]
        program.run("switch", "languages", "en")  # at once, and over a restart
        until_known(program, "en")
        program.run("stop")
        program.run("start")
        until_known(program, "en")
        assert not program.json("suggest", "Vielen Dank für Ihre ")["words"]
        program.run("switch", "languages", "found")
        until_known(program, "de", "en")
    finally:
        program.run("stop")


def test_a_damaged_list_is_made_anew_and_stops_nobody(tiny, tmp_path):
    shutil.copytree(tiny.folder.parent, tmp_path / "base")
    lists = word_list_paths(find_base(tmp_path / "base"), ["nl"])
    for path in (lists.lexicon, lists.dictionary):
        path.write_bytes(b"PK")
    program = Program(tmp_path / "profile", tmp_path / "base", 'languages = ["nl"]\n')
    program.run("start")
    try:
        until_known(program, "nl")
    finally:
        program.run("stop")


@pytest.fixture(scope="module")
def both(base):
    loaded = LoadedModel(
        base,
        threads=1,
        context_tokens=384,
        recent_tokens=60,
        rare_min_count=3,
        languages=["de", "en"],
    )
    texts = [*GERMAN.splitlines(), *ENGLISH.splitlines()]
    return loaded.build_predictor(loaded.build_user_model(map(loaded.tokenizer.encode, texts)), None)


def test_of_what_a_dictionary_has_only_accents_are_put_in_unasked_in_another_language(both):
    sure = {
        "Das ist moglich ": True,
        "Er hat nartürlich ": True,
        "I have definately ": True,
        "Sie muss sich eignen ": False,
        "Er hat natürlích ": False,
        "Das kostet die Eingabeaufforderungen ": False,
        "Frag Agnieszka ": False,
    }
    for prefix, is_sure in sure.items():
        found = both.suggest(Question(prefix, corrections=True)).correction
        assert (found is not None and found.sure) is is_sure, prefix
