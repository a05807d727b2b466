"""Any history of a file: each word that was ever written in it is learned once, and never twice."""

import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.paragraphs import OFF_RECORD, KnownParagraph, Ledger, Originals, decoded, digest
from idiolect.daemon.storage.store import Store


@contextmanager
def profile(reader):
    with tempfile.TemporaryDirectory() as folder:
        here = Settings(home=Path(folder) / "home").prepare()
        store = Store.open(here.store_path, "5a" * 32)
        notes = Path(folder) / "notes"
        notes.mkdir()
        try:
            yield (
                Ingest(Profile(store), lambda text: list(text.encode()), here, reader=reader),
                store,
                notes,
            )
        finally:
            store.close()


class Writer:
    """Writes words that never occur twice, so that each can be followed."""

    def __init__(self, data):
        self.data = data
        self.words = 0
        self.paragraphs = []
        self.versions = []

    def fresh(self, least):
        count = self.data.draw(st.integers(least, least + 6))
        self.words += count
        return [f"w{self.words - n}" for n in range(count)]

    def place(self, items):
        return self.data.draw(st.integers(0, max(0, len(items) - 1)))

    def save(self, what):
        """Change the text as `what` says; the file's new content."""
        if what == "write" or not self.paragraphs:
            self.paragraphs.insert(self.place([*self.paragraphs, None]), self.fresh(5))
        elif what == "insert":
            place = self.place(self.paragraphs)
            old = self.paragraphs[place]
            cut = self.data.draw(st.integers(0, len(old)))
            self.paragraphs[place] = [*old[:cut], *self.fresh(1), *old[cut:]]
        elif what == "delete":
            self.paragraphs.pop(self.place(self.paragraphs))
        elif what == "swap":
            self.paragraphs.append(self.paragraphs.pop(self.place(self.paragraphs)))
        elif what == "go back" and self.versions:
            self.paragraphs = self.data.draw(st.sampled_from(self.versions))
        self.paragraphs = [list(paragraph) for paragraph in self.paragraphs]
        self.versions.append(self.paragraphs)
        return "\n\n".join(" ".join(paragraph) for paragraph in self.paragraphs)


ACTIONS = ["write", "insert", "insert", "insert", "delete", "swap", "go back", "import"]


@settings(max_examples=25, deadline=None)
@given(data=st.data(), actions=st.lists(st.sampled_from(ACTIONS), min_size=2, max_size=14))
def test_each_word_is_learned_once(reader, data, actions):
    writer = Writer(data)
    with profile(reader) as (ingest, store, notes):
        path = notes / "0.txt"
        for what in [*actions, "rename"]:
            if what == "rename" and path.exists():
                ingest.update_file(path.rename(notes / "renamed.txt"))
            elif what == "import" and writer.paragraphs:
                list(ingest.add_paths([notes]))
            elif what != "rename":
                path.write_text(writer.save(what))
                ingest.update_file(path)
            learned = Counter(word for entry in store.entries.select() for word in entry.text.split())
            assert learned == Counter(f"w{n}" for n in range(1, writer.words + 1))


words = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30)


@given(words, st.lists(words, max_size=3))
def test_runs_are_parts_of_the_text_and_leave_only_old_words(text, originals):
    edit = Originals([[" ".join(original)] for original in originals]).compare(" ".join(text))
    if edit is None:
        return
    rest = Counter(text)
    for start, end in edit.runs:
        rest -= Counter(" ".join(text)[start:end].split())
    known = Counter(word for place in edit.originals for word in originals[place])
    assert all(word in known for word in rest)


@given(words)
def test_a_text_is_no_edit_of_itself(text):
    edit = Originals([[" ".join(text)]]).compare(" ".join(text))
    assert edit is not None
    assert edit.runs == ()


paragraphs = st.lists(
    st.builds(
        KnownParagraph,
        st.text(max_size=3).map(digest),
        st.lists(st.integers(1, 999), max_size=3).map(tuple),
    ),
    max_size=8,
)


@given(paragraphs, paragraphs)
def test_a_ledger_remembers_what_was_and_what_is(first, then):
    ledger = Ledger(Ledger(()).state(first))
    for known in then:
        ledger.take(known.digest)
    names = Counter(known.digest for known in first)
    gone = names - Counter(known.digest for known in then)
    assert Counter(known.digest for known in ledger.removed()) == gone
    later = Ledger(ledger.state(then))
    back = [later.take(name) for name in (Counter(known.digest for known in then) + gone).elements()]
    assert None not in back, "neither what is there nor what was there is new"
    assert later.removed() == []


def test_what_is_known_of_a_paragraph_survives_being_stored():
    for known in (
        KnownParagraph("0" * 16),
        KnownParagraph("1" * 16, (7, 8)),
        KnownParagraph("222", off_record=True),
    ):
        assert decoded(known.coded()) == known
    assert KnownParagraph("2" * 16, off_record=True).coded().endswith(f":{OFF_RECORD}")
