"""Mistyped words, other languages and capitals, by the real program with its real model."""

import json

import pytest
from program import Program

from idiolect.adapters.evaluation.eval_split import EvalMessage
from idiolect.adapters.evaluation.mistyping import measure_mistyping
from idiolect.adapters.evaluation.slipping_typist import answer_pages, share_saved
from idiolect.adapters.memory.steps import finish
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.next_token import NextTokenModel
from idiolect.adapters.prediction.question import Question
from idiolect.daemon.serving.mending_question import find_example
from idiolect.models.misspellings import Misspellings

CONTEXTS = ("", "I think that ", "We waited ", "Please send it to me ")


@pytest.fixture(scope="module")
def idiolect(base_dir, tmp_path_factory):
    """`idiolect(*arguments)`: what the program prints, with a fresh profile and its service."""
    program = Program(tmp_path_factory.mktemp("profile"), base_dir)
    program.run("start")
    yield program.run
    program.run("stop")


@pytest.fixture(scope="module")
def loaded(base):
    return LoadedModel(base, threads=1, context_tokens=512, recent_tokens=60, rare_min_count=3)


@pytest.fixture(scope="module")
def predictor(loaded):
    return loaded.build_predictor(loaded.build_user_model([]), None)


def offered(predictor, prefix, *, corrections=True):
    """Return the whole words that are offered, and those of the ghost."""
    typed = prefix.split(" ")[-1]
    found = predictor.suggest(Question(prefix, candidates=5, corrections=corrections))
    words = [typed[: len(typed) - word.replace] + word.text for word in found.words]
    return [*words, typed + found.ghost.text]


def test_the_command_mends_and_offers_no_misspelling(idiolect):
    first = idiolect("suggest", "I will definat")
    assert first.split()[1] == "definitely"
    assert "definately" not in first
    their = idiolect("suggest", "Thank you for thier")
    assert their.split()[1] == "their"
    assert "untill → until" in idiolect("suggest", "We waited untill ")
    assert json.loads(idiolect("suggest", "We waited untill ", "--json"))["correction"]["text"] == "until "


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("untill", "until"),
        ("Im", "I'm"),
        ("alot", "a lot"),
        ("hte", "the"),
        ("adn", "and"),
        ("yuo", "you"),
        ("wich", "which"),
        ("Dont", "Don't"),
        ("teh", "the"),
        ("thier", "their"),
        ("monday", "Monday"),
        ("wednesday", "Wednesday"),
    ],
)
def test_a_known_misspelling_is_mended_whatever_stands_before_it(predictor, typed, meant):
    for context in CONTEXTS:
        correction = predictor.suggest(Question(f"{context}{typed} ", corrections=True)).correction
        assert correction is not None, context
        assert correction.text == f"{meant} "


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("I want ot ", "to"),  # short words
        ("Let me know hwo ", "how"),
        ("I think taht ", "that"),
        ("I am uust ", "just"),  # the first letter
        ("I am looking orward ", "forward"),
        ("Teh ", "The"),  # capitals
        ("THe ", "The"),
        ("hTe ", "The"),
        ("we saw tHe ", "the"),
        ("one ofthe ", "of the"),
        ("He asked the groupp ", "group"),  # the last letter twice
        ("a well-knonw ", "known"),  # behind a hyphen
        ("I have een ", None),  # a word of another language
        ("I saw alll ", "all"),
        ("This is soo ", None),  # drawn out
        ("Oh yeahh ", None),
        ("Well, helloo ", None),
        ("and i ", "I"),
        ("as it is, i.", None),  # "i.e."
        ("We couldve ", "could've"),
        ("Tell me whats ", "what's"),
        ("I dont ", "don't"),  # a word in French
        ("That cant ", "can't"),
        ("as was his wont ", None),
        ("as they were wont ", None),
        ("It has a cant ", None),
        ("I went to Joans ", None),
        ("over the fene ", "fence"),  # what stands before it tells
        ("I am going hoem ", "home"),
        ("We crossed the pont ", None),
    ],
)
def test_a_slip_of_the_hand_is_mended_by_itself(predictor, prefix, meant):
    correction = predictor.suggest(Question(prefix, corrections=True)).correction
    sure = correction.text if correction is not None and correction.sure else None
    assert sure == (meant and f"{meant} ")


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("I will definat", "definitely"),
        ("the goverm", "government"),
        ("The comitt", "committee"),
        ("we should probabyl", None),  # its end is typed
        ("the impro", None),
    ],
)
def test_what_was_meant_is_grey_text_while_a_mistyped_word_is_typed(predictor, prefix, meant):
    found = predictor.suggest(Question(prefix, corrections=True))
    assert next((word.text for word in found.words if word.grey), None) == meant
    assert not (meant and found.ghost.show)
    assert not any(
        word.grey for word in predictor.suggest(Question(prefix, ghost_words=0, corrections=True)).words
    )


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [("We read the dgo ", "dog "), ("I will definately ", "definitely "), ("We waited for ", None)],
)
def test_what_was_meant_is_grey_text_behind_a_finished_word_that_is_not_mended(predictor, prefix, meant):
    found = predictor.suggest(Question(prefix, corrections=True))
    assert (found.correction and found.correction.grey and found.correction.text) == meant
    assert not (found.ghost.show and found.correction and not found.correction.sure)
    alone = predictor.suggest(Question(prefix, ghost_words=0, corrections=True)).correction
    assert alone is None or not alone.grey


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("We read t he ", "the "),
        ("all thes ame ", "the same "),
        ("part of th ebig ", "the big "),
        ("in thehouse ", "the house "),
        ("I sent the letteryou ", "letter you "),
        ("They also willzupdate ", "will update "),  # a key above the space bar
        ("I met Innocenti ", None),
        ("Restart it with systemctl ", None),
        ("I saw the  dog ", "the dog "),
        ("Read groupby ", None),
        ("Ask al Assad ", None),
    ],
)
def test_a_space_in_the_wrong_place_is_put_right(predictor, prefix, meant):
    found = predictor.suggest(Question(prefix, corrections=True, correct_before=True)).correction
    assert (found.text if found is not None and found.sure else None) == meant
    alone = predictor.suggest(Question(prefix, corrections=True)).correction
    if meant and found.replace > len(prefix.split()[-1]) + 1:
        assert alone is None  # half of what was meant would be wrong
    else:
        assert alone is None or alone.text == meant or not alone.sure


@pytest.mark.parametrize(("text", "meant"), [("it is tue that ", "true that "), ("I like tea and ", None)])
def test_the_next_word_decides_what_was_unsure(predictor, text, meant):
    def suggest(prefix, **more):
        found = predictor.suggest(Question(prefix, corrections=True, **more)).correction
        finish(predictor.look_ahead.make_passes())
        return found

    found = [suggest(text[:end], correct_before=True) for end in range(1, len(text) + 1)]
    made = [(it.text, it.replace) for it in found if it is not None and it.sure]
    assert made == ([(meant, len(meant) - 1)] if meant else [])
    assert suggest(text) is None or not suggest(text).sure


# Names, code, chat, brands, other languages, and words that few lists have.
RIGHT = """
Aoife Siobhan Niamh Saoirse Xiomara Zsolt Agnieszka Wojciech Joris Bjorn Anneke Nguyen Thuy Ngozi Chukwu Kwame
Ayodele Priya Aarav Rajesh Venkat Lakshmi Xiu Zhang Hsieh Tsai Kenji Haruki Soren Mads Kaspar Ivo Jelena
Dragan Milos Zoran Katka Jiri Ingrid Sindre Oyvind Aino Pekka Reykjavik Llandudno Aberystwyth Querfurt
Szczecin Ljubljana Tromso Poznan Gdansk Brno Eindhoven Tbilisi Yerevan Almaty Ouagadougou strcpy malloc fopen
mtime uchar argv argc stdin stderr sizeof typedef enum struct async await lambda numpy pandas kwargs init repr
regex localhost sudo chmod grep sed awk kubectl nginx daemon cron tmux vim emacs neovim pytest mypy ruff
asyncio postgres sqlite mysql redis kafka mutex semaphore deque tuple dict json yaml toml xml html css
javascript typescript webpack eslint npm pnpm cargo rustc clippy serde tokio wasm llvm gcc clang cmake ninja
bazel docker podman rsync curl wget ssh sshd https http ftp dns tcp udp ipv smtp imap oauth jwt uuid utf ascii
base hex crc sha svg png jpeg webp mpeg ffmpeg vlc thx pls plz omg lol lmao rofl brb btw imo imho tbh idk ikr
smh fyi ttyl gtg nvm jk bf gf bff ily u ur r b4 gr8 m8 l8r wanna gonna gotta kinda sorta dunno lemme gimme cuz
coz cos tho thru nite lite luv wassup sup yo yeah yea yep yup nope nah hmm hmmm ugh meh aww yay woah omfg wtf
bruh bro sis fam lit sus cringe noob pwned haha hahaha hehe hihi lolz soooo nooo yesss pleaseee okayyy heyyy
whyyy Kubuntu Fedora Debian Ubuntu Mastodon Signal Threema Nextcloud Jellyfin Plex Spotify Netflix Ikea Lidl
Aldi Migros Tesco Zalando Lufthansa Ryanair EasyJet PlayStation iPad macOS GitHub GitLab YouTube WhatsApp
TikTok OpenSSL LibreOffice JavaScript PostgreSQL herr frau straße kinder schön heute morgen bitte tschüss
bonjour merci voilà salut garçon mañana gracias hola señor niño ciao grazie bella pasta obrigado saudade
gezellig lekker hygge fika sauna kebab döner sushi ramen tofu naan dal paneer kimchi bibimbap pho banh
tortilla quesadilla churros espresso macchiato cappuccino croissant baguette anaphora quale qualia thixotropy
sesquipedalian defenestrate petrichor susurrus apricity ultracrepidarian eigenvalue eigenvector adjoint
homotopy cohomology functor monad bayesian softmax logits perplexity quantized dequantize backprop finetune
hyperparameter tokenizer detokenize autoregressive bidirectional embeddings minified transpiled denormalize
deduplicate reindex resync unsubscribe reupload repost retweet upvote downvote subreddit blogroll microblog
podcasting Tuomas danke Mathew Andersson Giorgia Benjamín industri familj hoje candidato
"""


def test_what_the_model_says_of_a_word_is_asked_for_once_and_only_where_it_decides(predictor, monkeypatch):
    read, asked = NextTokenModel.word_log_prob, list[str]()

    def noted(model, ids, word):
        asked.append(predictor.tokenizer.decode(word))
        return read(model, ids, word)

    def typed(text):
        asked.clear()
        predictor.forget_texts()
        for end in range(1, len(text) + 1):
            predictor.suggest(Question(text[:end], corrections=True, correct_before=True))
        return asked

    monkeypatch.setattr(NextTokenModel, "word_log_prob", noted)
    assert typed("Please let me know what you think, and we will definately wait for hte others. ") == []
    assert typed("We read the dgo and") == [" dog", " dgo"]


def test_of_some_hundred_words_that_few_lists_have_at_most_one_of_a_thousand_is_mended_by_itself(predictor):
    found = [
        predictor.suggest(Question(f"{context}{word} ", "", 0, 0, corrections=True)).correction
        for context in ("", "I think that ", "We talked about the ", "Please ask ")
        for word in RIGHT.split()
    ]
    assert len(found) > 1000
    assert len([it.text for it in found if it is not None and it.sure]) <= len(found) / 1000


@pytest.mark.parametrize(
    "text",
    [
        "see https://exmaple.org/teh ",
        "mail anna.smiht@exmaple.org ",
        "in /usr/lcoal/bni ",
        "call `pip install uvicorn ",
        "the mtime ",
        "I think ther ",
        "the usernames ",
        "He customizes ",
        "the container's ",
    ],
)
def test_code_addresses_and_other_endings_stand(predictor, text):
    correction = predictor.suggest(Question(text, corrections=True)).correction
    assert correction is None or not correction.sure


def test_what_mending_saves_of_the_time_of_typing_is_counted(predictor):
    text = "I think that we should wait until they have more time for this. Please let me know what you want."
    found = measure_mistyping(predictor, [text], "qwerty", 1)
    assert found["mended"] > 0.5
    assert found["mended_wrongly"] < 0.1
    assert found["spoilt_per_1000"] == 0
    learned = []
    pages = answer_pages(predictor, [EvalMessage(text, "", text)], "qwerty", "1", [0.2], learned.append)
    assert [message.text for message in learned] == [text]
    saved = share_saved(pages, 0.2)
    assert 0 < saved["mending"] < saved["both"] < saved["grey"] + saved["mending"] < 0.5
    assert share_saved(pages, 0.2, look_s=0.5)["grey"] < saved["grey"]


@pytest.mark.parametrize(
    "prefix",
    [
        "I like the colour ",
        "They organise ",
        "in the theatre ",
        "I met Soren ",
        "Soren ",
        "We met Jan Novak ",
    ],
)
def test_british_words_and_names_stand(predictor, prefix):
    assert predictor.suggest(Question(prefix, corrections=True)).correction is None


def test_a_name_that_is_like_another_word_of_its_user_stands(loaded):
    text = "This is the plan. This is what we want. This is all."
    known = loaded.build_user_model([loaded.tokenizer.encode(text)] * 4)
    found = loaded.build_predictor(known, None).suggest(Question("I met Thijs ", corrections=True)).correction
    assert found is None or not found.sure


@pytest.mark.parametrize("corrections", [True, False])
def test_no_answer_holds_a_misspelling(predictor, *, corrections):
    for begun in ("definat", "definatel", "seperat", "recie", "until", "occured", "beleiv"):
        for context in CONTEXTS:
            words = [
                word
                for text in offered(predictor, context + begun, corrections=corrections)
                for word in text.split()
            ]
            assert not [word for word in words if word != begun and Misspellings.english().meanings(word)]


@pytest.mark.parametrize(
    "prefix",
    [
        "Das ist doch ",
        "Das ist doch alles ",
        "Ich weiß, dass ",
        "Je ne sais pas encore si je ",
        "Muchas gracias por tu ",
        "Ik weet nog niet of ik ",
        "Non so ancora se posso ",
    ],
)
def test_in_a_language_that_is_not_known_it_is_silent(predictor, prefix):
    found = predictor.suggest(Question(prefix, corrections=True))
    assert found.words == ()
    assert found.correction is None
    assert found.ghost.text == ""


@pytest.mark.parametrize("prefix", ["Mein Bru", "Die Ki", "Mi hermano", "Il ét", "Zij w"])
def test_one_word_of_another_language_is_enough_for_silence(predictor, prefix):
    assert predictor.suggest(Question(prefix, corrections=True)).words == ()


@pytest.mark.parametrize(
    ("prefix", "word"), [("Tha", "Thanks"), ("Thank y", "you"), ("Ok t", "to"), ("Hi th", "there")]
)
def test_the_first_words_of_an_english_text_are_offered(predictor, prefix, word):
    assert word in offered(predictor, prefix)[:-1]


def test_a_known_misspelling_is_mended_as_the_first_word_too(predictor):
    assert "a lot" in [word.text for word in predictor.suggest(Question("alot", corrections=True)).words]


def test_what_its_user_wrote_in_another_language_is_offered(loaded):
    encode = loaded.tokenizer.encode
    text = "Das ist doch kein Problem, und wir treffen uns morgen am Bahnhof."
    predictor = loaded.build_predictor(loaded.build_user_model([encode(text)] * 4), None)
    assert "Problem" in offered(predictor, "Das ist doch kein ")


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("see you in decem", "December"),
        ("we will meet on mon", "Monday"),
        ("the capital of ireland is dub", "Dublin"),
        ("a ferry to rotterd", "Rotterdam"),
        ("we flew to reykj", "Reykjavik"),
        ("merry christm", "Christmas"),
        ("the embassy in tehr", "Tehran"),
    ],
)
def test_a_name_is_offered_with_its_capital(predictor, prefix, name):
    words = offered(predictor, prefix)
    assert name in words
    assert name.lower() not in words
    folded = [word.lower() for word in words[:-1]]
    assert len(folded) == len(set(folded))  # each in one form


@pytest.mark.parametrize(
    ("prefix", "name", "less_likely"),
    [("I love itali", "Italian", "italia"), ("the engli", "English", "englishman")],
)
def test_a_name_stands_before_what_is_no_english_word(predictor, prefix, name, less_likely):
    words = offered(predictor, prefix)[:-1]
    assert name in words
    assert less_likely not in words[: words.index(name)]


def test_who_writes_names_small_gets_them_so(loaded):
    encode = loaded.tokenizer.encode
    texts = ["see you on monday or tuesday", "back from london in december", "italian on friday then"]
    predictor = loaded.build_predictor(loaded.build_user_model([encode(text) for text in texts]), None)
    assert "december" in offered(predictor, "i am free in dece")
    assert "wednesday" in offered(predictor, "i am free on wednes")  # never typed: the habit tells


@pytest.fixture(scope="module")
def with_habits(loaded):
    """A predictor for who begins 180 sentences with a capital, and has written two names."""
    texts = [
        "Lona met us in Cairo. The plan is good. It is fine.",
        "We met Lona. They are all here. He is in Cairo.",
    ]
    known = loaded.build_user_model([loaded.tokenizer.encode(text) for text in texts * 30])
    return loaded.build_predictor(known, None)


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("the ", "The"),
        ("whereas ", "Whereas"),  # not likely there
        ("I think it works. the ", "The"),
        ("apples, pears, etc. the ", None),
        ("I think so.\nthe ", None),
        ("lol ", None),
        ("numpy ", None),
        ("we flew to cairo ", "Cairo"),
        ("Can you figuree ", "figure"),  # who never draws out a word
    ],
)
def test_capitals_are_put_in_and_names_parted_as_their_user_writes_them(
    predictor, with_habits, prefix, meant
):
    made = with_habits.suggest(Question(prefix, corrections=True)).correction
    assert (made.text if made is not None and made.sure else None) == (meant and f"{meant} ")
    if prefix in {"the ", "Can you figuree "}:  # where nothing is learned
        unknown = predictor.suggest(Question(prefix, corrections=True)).correction
        assert unknown is None or not unknown.sure


def test_the_question_about_mending_has_a_word_that_its_user_writes_often(loaded):
    encode = loaded.tokenizer.encode
    written = [encode("See you tomorrow then, my friend. A friend in need.")] * 3
    for texts, example in (([], ("becuase", "because")), (written, ("freind", "friend"))):
        found = find_example(loaded.build_user_model(texts).words, loaded.general)
        assert (found["typed"], found["meant"]) == example


def test_what_the_first_correction_needs_is_made_before_the_first_key(base):
    fresh = LoadedModel(base, threads=1, context_tokens=512, recent_tokens=60, rare_min_count=3)
    predictor = fresh.build_predictor(fresh.build_user_model([]), None)
    finish(predictor.warm())
    parts = (fresh.general, fresh.lexicon, fresh.tokenizer)
    made = [set(vars(part)) for part in parts]
    correction = predictor.suggest(Question("I will definately ", corrections=True)).correction
    assert correction is not None
    assert [set(vars(part)) for part in parts] == made
