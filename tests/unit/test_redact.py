"""Redaction: each rule against its own examples, and what they have in common."""

import pytest
from redaction_examples import left, taken

from idiolect.daemon.text.redaction.patterns import RULES
from idiolect.daemon.text.redaction.redact import placeholders, redact, without_placeholders
from idiolect.daemon.text.redaction.rule import Rule


@pytest.mark.parametrize(("rule", "text", "wanted"), taken())
def test_what_a_rule_must_take(rule: Rule, text: str, wanted: str) -> None:
    redacted, count = redact(text, prose=False)  # what the tagger takes of these texts, its own tests say
    assert (redacted, count) == (wanted, 1)
    assert rule.placeholder in redacted, "another rule did this one's work"


@pytest.mark.parametrize(("rule", "text"), left())
def test_what_a_rule_must_not_take(rule: Rule | None, text: str) -> None:
    assert redact(text) == (text, 0)


def test_every_rule_has_examples() -> None:
    assert {rule.name for rule, *_ in taken()} == {rule.name for rule in RULES}
    assert {rule.name for rule, _ in left() if rule is not None} == {rule.name for rule in RULES}


def test_the_rest_of_the_text_is_kept_and_each_secret_counted() -> None:
    text = "all, the password: hunter2 and my PIN: 4821.\nPay 4111 1111 1111 1111 (not 4111 1111 1111 1112)."
    assert redact(text) == (
        "all, the password: [password] and my PIN: [pin].\nPay [card] (not 4111 1111 1111 1112).",
        3,
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "It came to 4471 euros.",
        "It is a town with 4471 brave inhabitants.",
        "There were 4471 votes for the mayor.",
        "Die Karte von 1890 hängt im Flur.",
        "Es kamen 4471 Gäste.",
        "Elle a parcouru 4471 pas.",
        "El mapa de 1890 cuelga en la pared.",
        "O livro tem 4471 palavras.",
        "Il paese ha 4471 abitanti.",
        "Het dorp heeft 4471 inwoners.",
        "Ring me on extension 4471, please.",
        "Die Durchwahl ist 4471, oder?",
        "Le poste 4471 ne répond pas.",
        "O ramal 4471 está ocupado.",
    ],
)
def test_what_counts_something_is_no_pin_though_it_was_told_as_one_before(sentence: str) -> None:
    number = "1890" if "1890" in sentence else "4471"
    for before in (f"My PIN is {number}. ", f"The door code is {number}, ok. ", f"Die PIN ist {number}.\n"):
        redacted, count = redact(before + sentence)
        assert (redacted[-len(sentence) :], count) == (sentence, 1)


@pytest.mark.parametrize(
    "sentence",
    [
        "The password is mandatory.",
        "Das Passwort ist erforderlich",
        "Le mot de passe est facultatif",
        "La passphrase est obligatoire",
        "La contraseña es obligatoria",
        "contraseña: Requerida",
        "La password è obbligatoria!",
        "A palavra-passe é obrigatória",
        "Het wachtwoord is optioneel",
        "wachtwoord: verplicht",
    ],
)
def test_what_a_form_says_of_its_password_field_is_no_password(sentence: str) -> None:
    assert redact(sentence) == (sentence, 0)
    assert redact(f"{sentence}\nPassword: swordfish") == (f"{sentence}\nPassword: [password]", 1)


def test_secrets_that_touch_are_all_found() -> None:
    one, other = "npm_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_xyz"
    assert redact(one + other) == ("[token][token]", 2)


def test_letters_of_any_script_are_no_secret() -> None:
    text = "Grüße aus Kraków 🎉, 今日は 2024年5月1日。 С днём рождения!"
    assert redact(text) == (text, 0)


def test_a_key_in_pieces_leaves_no_piece() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    begin, end = "-----BEGIN PRIVATE" + " KEY-----", "-----END PRIVATE" + " KEY-----"
    for part in (f"{begin}\n{line}", f"{line}\n{line}", f"{line} {line}\nMzEfYyjiWA==\n{end}"):
        assert line not in redact(f"before\n{part}")[0]


def test_placeholders_can_be_counted_and_taken_out() -> None:
    assert placeholders("[password] and [card], not [this]") == 2
    assert without_placeholders("[password] and [card]").strip() == "and"


@pytest.mark.parametrize("text", ["1 " + "_" * 40, "-" * 40 + "[1]", "see http://a/" + "_" * 30 + "/1"])
def test_a_line_of_underscores_or_dashes_is_no_secret_and_no_error(text: str) -> None:
    assert redact(text) == (text, 0)
