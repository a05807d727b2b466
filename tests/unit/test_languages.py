"""Several languages: their word lists, which of them a text is in, and whose words are offered there."""

import shutil

import numpy as np
import pytest

from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.memory.word_matching import match_words
from idiolect.adapters.memory.word_parts import elided_chars, second_part_starts
from idiolect.adapters.mending.fuzzy_search import FuzzySearch
from idiolect.adapters.mending.general_words import GeneralWords
from idiolect.adapters.mending.inflections import are_forms_of_one, is_unlisted_form
from idiolect.adapters.mending.keyboards import neighbours, usual_layout
from idiolect.adapters.mending.typing_channel import TypingChannel
from idiolect.adapters.prediction.language import Languages
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.question import Question
from idiolect.daemon.serving.user_languages import UserLanguages, found_languages, sample
from idiolect.daemon.settings import Settings, locale_languages
from idiolect.models.build import find_base
from idiolect.models.dictionary import Spelling
from idiolect.models.fetch import DiskFullError
from idiolect.models.languages import open_word_list, word_list_paths
from idiolect.models.shortlist import _forms
from idiolect.models.tokenizer import Tokenizer
from idiolect.models.word_lists import LANGUAGES, general_words, german_nouns, small_words, spelt_words

GERMAN = "Ich habe gestern mit der Familie gegessen und danach sind wir noch an den See gefahren."
ENGLISH = "I had dinner with my family yesterday and after that we went down to the lake."
FRENCH = "Hier nous avons mangé en famille et puis nous sommes allés au bord du lac avec les enfants."


@pytest.fixture(scope="module")
def german_english(tiny, tmp_path_factory):
    """A copy of the tiny base model with the words of German and English, few of each."""
    folder = tmp_path_factory.mktemp("languages") / "base"
    shutil.copytree(tiny.folder.parent, folder)
    base = find_base(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idiolect.models.lexicon.SIZE", 6_000)
        open_word_list(base, ["de", "en"], Tokenizer(base.tokenizer))
    return base


@pytest.fixture(scope="module")
def lexicon(german_english, tiny_tokenizer):
    return open_word_list(german_english, ["en", "de"], tiny_tokenizer)[0]


@pytest.fixture
def words(lexicon, tiny, tiny_tokenizer):
    return WordVocabulary(lexicon, tiny_tokenizer.encode, tiny.config.vocab)


@pytest.fixture(scope="module")
def german():
    return general_words("de")


def uniform(words: WordVocabulary) -> np.ndarray:
    vocab = len(words.total_of(0))
    return np.full(vocab, 1 / vocab, np.float32)


# Word lists


def test_german_words_are_written_as_germans_write_them(german):
    right = "straße größe dass wissen masse maße für können straßenbahn"
    assert [word for word in right.split() if word not in german] == []
    assert [word for word in ["strasse", "grösse", "fur", "konnen", "daß"] if word in german] == []
    assert german["the"] < 1e-5 < german["und"], "what stands in titles is no German"
    assert {"für", "straße"} <= spelt_words(german, frozenset())


def test_a_letter_is_a_word_only_where_it_is_one(german):
    assert [word for word in german if len(word) == 1] == []
    spanish = general_words("es")
    assert {word for word in spanish if len(word) == 1} == set("aeouy")


def test_french_words_keep_their_accents():
    french = general_words("fr")
    assert [word for word in ["était", "même", "où", "ou", "à", "a"] if word not in french] == []
    assert [word for word in ["etait", "meme"] if word in french] == []


def test_nouns_are_told_from_verbs_and_adjectives():
    nouns = {noun.decode() for noun in german_nouns().tolist()}
    assert {"haus", "straße", "zeit", "regierung", "möglichkeit", "übung"} <= nouns
    assert nouns.isdisjoint(
        ["ich", "du", "machen", "essen", "gute", "deutsch", "und", "hast", "arbeiten", "leben"]
    )


def test_tokens_of_a_large_vocabulary_are_chosen_by_german_words_as_they_are_written():
    uses = dict(_forms("de"))
    assert {" groß", " weiß", " Groß", " Straße"} <= {*uses}
    assert " gross" not in uses
    assert uses[" Straße"] > 10 * uses[" straße"]


def test_a_list_of_two_languages_has_the_uses_in_each(lexicon):
    assert lexicon.languages == ("de", "en")
    uses = dict(zip((form.decode() for form in lexicon.forms), lexicon.by_language.T.tolist(), strict=True))
    assert uses["und"][0] > 1000 * uses["und"][1]
    assert uses["the"][1] > 1000 * uses["the"][0]
    assert min(uses["in"]) > 1e-3
    assert np.array_equal(lexicon.frequency, lexicon.by_language.max(0))


def test_german_nouns_have_a_capital_and_english_words_none(lexicon):
    for noun in ("Haus", "Zeit", "Übung", "Hand"):
        assert lexicon.is_name(noun, 0)
        assert not lexicon.is_name(noun, 1)
    large, small = lexicon.names[0]
    assert [form.lower() for form in np.char.decode(lexicon.forms[large]).tolist()] == np.char.decode(
        lexicon.forms[small]
    ).tolist()
    assert (np.diff(large) > 0).all()


def test_every_language_has_a_list_of_its_most_used_words():
    for language in LANGUAGES:
        uses = general_words(language)
        assert len(uses) >= 80_000
        assert 0.5 < sum(uses.values()) < 1.1, "the words make up most of a text"


def test_the_base_stays_whole_and_the_list_is_filed_once(german_english, tiny_tokenizer):
    find_base(german_english.folder.parent, verify=True)
    paths = word_list_paths(german_english, ["de", "en"])
    made = paths.lexicon.stat().st_mtime_ns
    assert open_word_list(german_english, ["en", "de"], tiny_tokenizer)[1] == paths
    assert paths.lexicon.stat().st_mtime_ns == made
    assert not list(german_english.folder.glob(".words-*"))
    assert word_list_paths(german_english, ["en"]).lexicon == german_english.lexicon


def test_a_damaged_list_is_filed_anew(german_english, tiny_tokenizer, monkeypatch):
    monkeypatch.setattr("idiolect.models.lexicon.SIZE", 500)
    lists = word_list_paths(german_english, ["nl"])
    for path in (lists.lexicon, lists.dictionary):
        path.write_bytes(b"PK")
    assert "het" in open_word_list(german_english, ["nl"], tiny_tokenizer)[0]


def test_where_there_is_no_room_for_a_list_the_languages_stay(tmp_path, tiny, monkeypatch):
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    shutil.copytree(tiny.folder.parent, tmp_path / "base")
    base = find_base(tmp_path / "base")
    monkeypatch.setattr("idiolect.models.languages.make_word_list", full)
    with pytest.raises(DiskFullError, match=r"it.*Make room"):
        open_word_list(base, ["it"], Tokenizer(base.tokenizer))
    loaded = LoadedModel(base, threads=1)
    known = UserLanguages(Settings(home=tmp_path))
    known.chosen = ("it",)
    known.use(loaded, [])
    assert loaded.languages == ("en",)
    assert not [*base.folder.glob("*words-*")]


# Which language


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([], ("en",)),
        (["ok", "lol"], ("en",)),
        ([ENGLISH] * 5, ("en",)),
        ([GERMAN] * 5, ("de",)),
        ([FRENCH] * 3 + [GERMAN] * 5, ("de", "fr")),
        ([ENGLISH] * 40 + [GERMAN], ("en",)),  # a quotation
    ],
)
def test_languages_are_found_in_text(texts, found):
    assert found_languages(texts) == found


@pytest.mark.parametrize(
    ("variables", "languages"),
    [
        ({}, ("en",)),
        ({"LANG": "C.UTF-8"}, ("en",)),
        ({"LANG": "en_GB.UTF-8"}, ("en",)),
        ({"LANG": "de_AT.UTF-8"}, ("de", "en")),
        ({"LANG": "pl_PL.UTF-8"}, ("en",)),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR", "LC_ALL": ""}, ("fr", "en")),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "nl"}, ("nl", "en")),
    ],
)
def test_the_systems_locale_names_a_language(monkeypatch, variables, languages):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert locale_languages() == languages


def test_little_text_adds_to_the_languages_of_the_system_and_more_replaces_them(
    monkeypatch, tiny_tokenizer, tmp_path
):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    known = UserLanguages(Settings(home=tmp_path))

    def wanted(times):
        return known.wanted([np.array(tiny_tokenizer.encode(FRENCH), np.uint32)] * times, tiny_tokenizer)

    assert wanted(0) == ("de", "en")
    assert wanted(5) == ("fr", "de", "en")
    assert wanted(20) == ("fr",)
    known.chosen = ("nl",)
    assert wanted(20) == ("nl",)


def test_a_sample_is_spread_over_all_texts():
    assert [*sample(3, 10)] == [0, 1, 2]
    some = sample(1000, 10)
    assert len({*some}) == 10
    assert max(some) == 999
    assert min(some) < 100


@pytest.mark.parametrize(
    ("text", "typed", "language"),
    [
        ("Ich habe gestern ", "", "de"),
        ("I have been ", "", "en"),
        ("I said that the Schadenfreude of ", "", "en"),
        ("Ich habe das meeting ", "", "de"),
        ("That was all. Ich weiß nicht, ob ", "", "de"),
        ("Das war alles. I do not know if ", "", "en"),
        ("", "Gesch", "de"),
        ("", "thin", "en"),
    ],
)
def test_the_language_at_hand_is_told_by_the_sentence(words, text, typed, language):
    belief = Languages(words).belief(text, typed)
    assert words.languages[int(np.argmax(belief))] == language
    assert belief.max() > 0.7


def test_a_text_begins_in_the_language_that_was_written_last(words):
    words.learn_many([GERMAN] * 30)
    assert Languages(words).belief("", "")[0] > 0.9
    words.learn_many([ENGLISH] * 90)
    assert Languages(words).belief("", "")[1] > 0.9


def test_another_language_is_not_known(words):
    language = Languages(words)
    assert language.knows("Ich habe gestern mit ")
    assert language.knows("I have been with ")
    assert not language.knows("Je ne sais pas si ")


# Words


def test_words_of_the_language_at_hand_are_offered(words):
    words.weigh_by_language((0.99, 0.01))
    german = match_words(words, "th", True, uniform(words), 3).forms
    words.weigh_by_language((0.01, 0.99))
    english = match_words(words, "th", True, uniform(words), 8).forms
    assert {"that", "they", "this"} <= {*english}
    assert not {"that", "they", "this", "thing"} & {*german}
    assert "thema" in german or "theater" in german


def test_own_words_belong_to_the_language_of_their_sentence(words):
    words.learn_many(
        ["Ich habe das Quabbelding gesehen und es war schön.", "I have seen the quabbler and it was nice."]
        * 4
    )
    weights = {}
    for language, belief in (("de", (0.99, 0.01)), ("en", (0.01, 0.99))):
        words.weigh_by_language(belief)
        weights[language] = words.weight("quabbler"), words.weight("Quabbelding")
    assert weights["en"][0] > 5 * weights["de"][0] > 0
    assert weights["de"][1] > 5 * weights["en"][1] > 0
    assert words.count("Quabbelding") == words.count("quabbler") == 4


def test_a_word_of_another_language_is_told(words):
    words.weigh_by_language((0.99, 0.01))
    told = filter(
        words.is_of_another_language, ["the", "that", "they", "have", "Haus", "in", "so", "und", "Zzyzx"]
    )
    assert [*told] == ["the", "that", "they", "have"]


@pytest.mark.parametrize(
    ("word", "language", "chars"),
    [
        ("l'arbre", "fr", 2),
        ("qu’il", "fr", 3),
        ("L'", "fr", 2),
        ("jusqu'à", "fr", 6),
        ("aujourd'hui", "fr", 0),
        ("dell'anno", "it", 5),
        ("l'arbre", "en", 0),
        ("don't", "en", 0),
        ("ist's", "de", 0),
    ],
)
def test_what_stands_before_a_word_with_an_apostrophe_is_another_word(word, language, chars):
    assert elided_chars(word, language) == chars


@pytest.mark.parametrize(
    ("typed", "language", "starts"),
    [
        ("Fahrrada", "de", [7]),
        ("Sicherheitsab", "de", [11]),
        ("Wochenendausfl", "de", [9]),
        ("Wochenend", "de", []),  # nothing of a second part is there
        ("Fahrradq", "de", []),
        ("Fahrrada", "en", []),
        ("fietsenab", "nl", [7]),
        ("n" * 60 + "abst", "de", []),  # far too long for a word
    ],
)
def test_the_second_part_of_a_compound_begins_behind_a_word_and_what_links_it(typed, language, starts):
    known = ["Fahrrad", "Sicherheit", "Wochenende", "abstand", "ausflug", "fiets", "n" * 60]
    assert (
        second_part_starts(
            typed, language, known.__contains__, lambda begun: any(word.startswith(begun) for word in known)
        )
        == starts
    )


@pytest.fixture(scope="module")
def offered(german_english):
    """`offered(text)`: the words that are offered behind a text, of a model that knows nothing."""
    loaded = LoadedModel(
        german_english,
        languages=["de", "en"],
        threads=1,
        context_tokens=64,
        recent_tokens=16,
        rare_min_count=3,
    )
    predictor = loaded.build_predictor(loaded.build_user_model([]), None)

    def ask(text: str, most: int = 3) -> list[str]:
        return [word.text for word in predictor.suggest(Question(text, candidates=most, ghost_words=0)).words]

    return ask


def test_a_compound_that_no_list_has_is_completed(offered, lexicon):
    assert "Musikfamilie" not in lexicon
    assert "milie" in offered("Wir waren gestern mit der ganzen Musikfa")
    assert "milie" not in offered("We have been there with the whole Musikfa"), "English has no such words"


def test_german_words_are_small_within_a_sentence_but_for_nouns(offered):
    begun, within = (
        offered(f"Wir waren gestern mit der ganzen Familie dort{end}", most=300) for end in (". ", " ")
    )
    assert small_words() & {word.lower() for word in begun if word[0].isupper()}
    assert not small_words() & {word.lower() for word in within if word[0].isupper()}
    assert small_words() & {*within}


# Corrections


def test_letters_that_a_keyboard_lacks_are_mended(lexicon):
    general = GeneralWords(lexicon)
    channel = TypingChannel("qwertz", languages=["de"])
    search = FuzzySearch(general.trie, channel)
    for typed, meant in (("strasse", "straße"), ("fuer", "für"), ("fur", "für")):
        cheapest = {
            general.form(int(general.trie.rows[general.trie.low[node]])).lower(): cost
            for node, cost in search.column(typed).items()
            if general.trie.whole[node] > general.trie.low[node]
        }
        assert cheapest[meant] <= channel.costs.accent
    assert general.is_spelt("straße")
    assert general.is_spelt("colour")
    assert general.meant_by("dont") == "don't"
    assert general.meant_by("im") is None, "a German word"


@pytest.mark.parametrize(
    ("word", "other", "language", "forms"),
    [
        ("gesundheitssystems", "gesundheitssystem", "de", True),
        ("nachdenklicher", "nachdenkliche", "de", True),
        ("nachdenklichr", "nachdenklicher", "de", False),  # a letter left out
        ("valoras", "valores", "es", True),
        ("collectivistes", "collectiviste", "fr", True),
        ("cacharros", "cachorros", "es", False),
        ("dass", "das", "de", False),  # too short to tell
        ("wrote", "wrotes", "en", False),
        ("haben", "haben", "de", False),
    ],
)
def test_endings_of_one_word_are_told_from_slips(word, other, language, forms):
    assert are_forms_of_one(word, other, language) is are_forms_of_one(other, word, language) is forms


@pytest.mark.parametrize(
    ("typed", "meant", "may_be_form"),
    [
        ("usernames", "username", True),
        ("customizes", "customized", True),
        ("comin", "coming", True),
        ("helpersd", "helpers", False),
        ("exporte", "exported", False),  # "export" is the word
        ("discusd", "discuss", False),
    ],
)
def test_forms_of_an_english_word_that_no_dictionary_has_are_told_from_slips(typed, meant, may_be_form):
    spelling = Spelling.of(["username", "customize", "coming", "helpers", "export", "discuss"])
    assert is_unlisted_form(typed, meant, spelling) is may_be_form


def test_each_language_has_its_usual_keyboard():
    assert [usual_layout(code) for code in ("en", "de", "fr", "es", "it")] == [
        "qwerty",
        "qwertz",
        "azerty",
        "qwerty-es",
        "qwerty",
    ]
    assert "ñ" in neighbours("qwerty-es")["l"]
