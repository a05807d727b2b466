"""The list of all rules, each beside examples of what it must and must not take."""

from __future__ import annotations

from typing import Final

from idiolect.daemon.redaction import (
    cards_and_ibans,
    document_numbers,
    national_ids,
    random_strings,
    service_tokens,
)
from idiolect.daemon.redaction.labelled_keys import KEYS
from idiolect.daemon.redaction.labelled_secrets import LABELS
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.one_time_codes import CODES
from idiolect.daemon.redaction.passwords import PASSWORDS
from idiolect.daemon.redaction.pins import PINS
from idiolect.daemon.redaction.recovery_seeds import SEEDS
from idiolect.daemon.redaction.rule import DONE, Rule

_KEY_END: Final = r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
_GAP: Final = r"(?:\s|\\[nrt]|[>|\"',])"
# Possessive, for there is one way to read them: giving lines back would try all that follows again for each.
_KEY_LINES: Final = rf"(?:{_GAP}{{1,20}}[A-Za-z0-9+/=]{{12,}})*+"
_SHORT_LINES: Final = rf"(?:{_GAP}{{1,20}}[A-Za-z0-9+/=]{{1,64}}){{0,1000}}?"

#: In the order in which they are tried.
RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "key",
        lazy(
            r"(?P<s>-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:\s*[A-Z][\w-]{2,20}: [^\n]{0,200}\n)*"
            rf"(?:{_KEY_LINES}{_SHORT_LINES}{_GAP}{{0,20}}{_KEY_END}|{_KEY_LINES})"
            rf"|(?:(?<!\S)[A-Za-z0-9+/=\\]{{16,100}}+\s{{1,20}}+){{0,80}}(?:(?<!\S)[A-Za-z0-9+/=\\]{{1,100}}+\s{{0,20}}+)?{_KEY_END}"
            r"|PuTTY-User-Key-File-\d:[\s\S]{0,20000}?Private-MAC: [0-9a-f]{40,64})"
        ),
        matches=(
            (
                "mine:\n-----BEGIN RSA PRIV¦ATE KEY-----\nMIIEow\nx8Q=\n-----END RSA PRIVATE KEY-----\nok",
                "mine:\n[key]\nok",
            ),
            ("-----BEGIN PRIV¦ATE KEY----- MIIEvQIBADANBg cut off", "[key] cut off"),
            ("9vXwK2mPq7RtYu31Zs8=\n-----END EC PRIV¦ATE KEY-----", "[key]"),
            ("-----BEGIN PGP PRIV¦ATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----.", "[key]."),
            (
                "k = '-----BEGIN PRIV¦ATE KEY-----\\nMIIEvQIBADANBg\\n-----END PRIVATE KEY-----\\n'",
                "k = '[key]\\n'",
            ),
        ),
        misses=(
            "-----BEGIN PUBLIC KEY-----\nMFww\n-----END PUBLIC KEY-----",
            "BEGIN PRIVATE KEY is a marker",
        ),
        hints=frozenset(("private key", "private-mac")),
        signs="-",
    ),
    Rule(
        "token",
        None,
        find=service_tokens.find,
        matches=(
            *((example, "[token]") for _, _, example in service_tokens.SERVICES if "ccountK" not in example),
            ("use ghp¦_16C7e42F292c6912E7710c838347Ae178B4a ok", "use [token] ok"),
            ("AWS: AKI¦AIOSFODNN7EXAMPLE.", "AWS: [token]."),
            ("no figure in it: AKI¦AIOSFODNNXEXAMPLE", "no figure in it: [token]"),
            ("glp¦at-abcdEfghIjklmnOpqrst here", "[token] here"),
            ("x;AccountK¦ey=aB3dE5fG7hJ9kL1mN3pQ5rS7aB3dE5fG7hJ9kL1mN3pQ5rS7==", "x;AccountKey=[token]"),
        ),
        misses=(
            "sk-learn-compatible-estimators-and-pipelines",
            "the task-force-of-1998-AND-its-many-members met",
            "ghp_short",
            "AKIAHBARA station",
            "run test_live_stream_of_the_long_function_name",
            "a 12345678:AAA battery",
        ),
        long_word=service_tokens.SHORTEST,
    ),
    Rule(
        "data",  # lines of base64 (the middle of a key, an attachment), or one that no person typed
        lazy(
            r"(?<![\w+/=])(?P<s>(?=[+/]{0,76}[A-Za-z0-9])(?:[A-Za-z0-9+/]{60,76}={0,2}\s+)+(?:[A-Za-z0-9+/]{60,76}={0,2}"
            r"|[A-Za-z0-9+/]{1,75}={1,2})(?![\w+/=])"
            r"|(?=[A-Za-z+/=_%\\-]{0,80}[0-9])(?=[0-9+/=_%\\-]{0,80}[A-Za-z])[A-Za-z0-9+/=_%\\-]{160,})"
        ),
        matches=(
            (f"see\n{'aB3/' * 16}\n{'cD4+' * 16}\nZm9v=\nend", "see\n[data]\nend"),
            ("img " + "iVBORw0KGgo" * 20, "img [data]"),
        ),
        misses=(
            "the tree is at 4b825dc642cb6eb9a060e54bf8d69288fbee4904 now",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
            "-" * 200,
            f"{'/' * 70}\n{'/' * 70}\n",
        ),
        long_word=60,
    ),
    Rule(
        "token",
        lazy(
            rf"(?i:\b(?:bearer|basic)[ \t]{{1,8}}|[?&;](?:[a-z]+[_-])?(?:token|api_?key|key|sig|signature|auth"
            rf"|secret|jwt|code)="
            rf"|/(?:reset|invite|verify|confirm|activate|magic|unsubscribe|password)[a-z_-]{{0,20}}[/?=])"
            rf"(?P<s>{DONE}(?=[^\s&]{{0,200}}\d)[^\s&#\"'<>,;)]{{8,}})"
        ),
        matches=(
            ("Authorization: Bea¦rer mF_9.B5f-4.1JqM", "Authorization: Bearer [token]"),
            (
                "https://x.example/a?id=7&access_token=a1b2c3d4e5f6g7",
                "https://x.example/a?id=7&access_token=[token]",
            ),
            ("https://x.example/reset/a1b2c3d4e5f6g7h8", "https://x.example/reset/[token]"),
        ),
        misses=("the bearer responsibilities", "https://x.example/?key=value", "basic understanding"),
        hints=frozenset(("bearer", "basic", "://")),
    ),
    *KEYS,
    *SEEDS,
    *PASSWORDS,
    *PINS,
    *LABELS,
    Rule(
        "iban",
        cards_and_ibans.IBAN,
        matches=(
            ("DE89 3704 0044 0532 0130 00 AND more", "[iban] AND more"),
            ("to GB82WEST12345698765432, please", "to [iban], please"),
            ("DE89 3704 0044 0532\n0130 00, thanks", "[iban], thanks"),
            ("ES91-2100-0418-4502-0005-1332", "[iban]"),
            ("PT50 0033 4094 9179 2472 2279 5", "[iban]"),
            ("FY24 please pay DE89370400440532013000 today", "FY24 please pay [iban] today"),
            ("KW48 bitte an DE89 3704 0044 0532 0130 00", "KW48 bitte an [iban]"),
        ),
        misses=("DE89 3704 0044 0532 0130 01", "at10 we all went to the big old house there"),
        figures=True,
        locate=cards_and_ibans.iban,
    ),
    Rule(
        "card",
        cards_and_ibans.CARD,
        matches=(
            ("4111 1111 1111 1111", "[card]"),
            ("Amex 3782-822463-10005.", "Amex [card]."),
            ("5555555555554444 exp 04/27", "[card] exp 04/27"),
            ("4111 1111\n1111-1111", "[card]"),
            ("４１１１ １１１１ １１１１ １１１１ で", "[card] で"),
            ("4111 1111 1111 1111 12/29", "[card] 12/29"),
            ("since 2024 4111 1111 1111 1111", "since 2024 [card]"),
        ),
        misses=(
            "4111 1111 1111 1112",
            "call +44 20 7946 0958 or 555-0134-2231",
            "2019 2020 2021 2022",
            "at 1700000000000 ms",
            "order 4000000000000000000001",
        ),
        figures=True,
        locate=cards_and_ibans.card,
    ),
    Rule(
        "pin",  # the figures on the back of a card
        cards_and_ibans.BACK,
        matches=(
            ("[card] exp 12/29, on the back 482.", "[card] exp 12/29, on the back [pin]."),
            ("[card], gültig 12/29, hinten 482", "[card], gültig 12/29, hinten [pin]"),
        ),
        misses=("[card], room 318 please", "[card] 12/29, €318", "[card] for 318 euros", "on the back 482"),
        hints=frozenset(("[card]",)),
    ),
    Rule(
        "id",
        None,
        find=national_ids.find,
        matches=(
            ("codice fiscale RSSMRA85T10¦A562S", "codice fiscale [id]"),
            ("756.9217.0769.85 is mine", "[id] is mine"),
            ("SSN 536-90¦-4399", "SSN [id]"),
            ("BSN: 1112¦22333", "BSN: [id]"),
            ("my social insurance number is 123 456 ¦782", "my social insurance number is [id]"),
        ),
        misses=(
            "756.9217.0769.84",
            "codice RSSMRA85T10A562T",
            "BSN: 111222334",
            "111222333 people",
            "000-12-3456",
        ),
        figures=True,
    ),
    Rule(
        "id",  # a word near it tells
        None,
        find=document_numbers.find,
        matches=(
            ("she wants my NHS number, it is 943 476 59¦19", "she wants my NHS number, it is [id]"),
            ("Steuer-ID für das Amt\n84 495 671¦ 431", "Steuer-ID für das Amt\n[id]"),
            ("1112¦22333 is my BSN", "[id] is my BSN"),
            ("sort code 20-45-7¦7 it is", "sort code [id] it is"),
            ("account no. 618¦34502 it is", "account no. [id] it is"),
            ("my passport, the new one, is 53340¦1827", "my passport, the new one, is [id]"),
            ("Reisepass C01X9¦V665", "Reisepass [id]"),
            ("MRN 00418¦826-3 at the top", "MRN [id] at the top"),
            ("mon RIB, 30004 00823 0001234¦5678 43, merci", "mon RIB, [id], merci"),
            ("BSB 062-0¦00 at the bank", "BSB [id] at the bank"),
            ("DNI 32.456.7¦89 del abuelo", "DNI [id] del abuelo"),
            ("o RG dela, 24.678.131-¦4, está aqui", "o RG dela, [id], está aqui"),
            ("su RFC es GODE561231¦GR8", "su RFC es [id]"),
            ("AHV 756921¦7076985", "AHV [id]"),
            ("título de eleitor: 1023 8501¦ 0671", "título de eleitor: [id]"),
            ("my OHIP, 1234-567-89¦0-AB, again", "my OHIP, [id], again"),
            ("der Perso hat L01X00T¦47 drauf", "der Perso hat [id] drauf"),
        ),
        misses=(
            "passport control took 2 hours and train IC 2217 was late",
            "the charity's number is 1089464 and the company's 04325234",
            "account manager, tel 555 0143 22",
            "the clinic is at 943 476 5918",
            "Steuer für 2023, Rechnungsnummer 20231104",
            "the RG 24 of 1998 and Medicare in 2020",
            "BLZ und Konto bitte bis 12.04.2024 melden",
        ),
        figures=True,
    ),
    *CODES,
    Rule(
        "random",
        None,
        find=random_strings.find,
        matches=(
            ("the backup code is x7Kp2mQ9vL¦4nR8tWb3Zc today", "the backup code is [random] today"),
            ("box 7QX4M-9KD2P-W3¦8VN-5RT6Y-2HB9C", "box [random]"),
            ("letters alone: QwRtYpSdFgHj¦KlZxCvBnMqWzXc", "letters alone: [random]"),
            ("they gave me key_live_oooaB3dE5¦fG7hJ9kL1mN", "they gave me [random]"),
            ("use pat_730dcd590b0a0c5deaa4¦e8857bbc72d61a8ed23f", "use [random]"),
            ("qZ4Kp2mQ.x7Kp2mQ9vL4nR8¦tWb3ZcYd5", "[random]"),
            ("take 8FJ2-9DKW¦-XX82-LQ0Z with you", "take [random] with you"),
            ("from my phone: qhzv-wkjd¦-xpgm-rtbc", "from my phone: [random]"),
            (
                "https://x.example/d/1E6Zg2X2bjjt¦PzVfX8YqdXZDCoB3AVA7i/edit",
                "https://x.example/d/[random]/edit",
            ),
            ("_x7Kp2mQ9vL4nR8t¦Wb3ZcYd5 it is", "[random] it is"),
        ),
        misses=(
            "getUserByEmailAddress2 in AbstractSingletonProxyFactoryBean3",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 and 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            "IMG_20190203_142233_HDR.jpg and x86_64-unknown-linux-gnu",
            "sha512-9x2zB3kd8Qw7PmL4vN6tR1yH5jF0gC9sX2aZ8bV7nM3qK4wE6rT5yU1iO0pA==",
            "app.x7Kp2mQ9vL4nR8tWb3Zc.js and ABCD-2020-1234-5678",
            "then-they-have-that and with-some-more-them",
            "https://x.example/watch?v=x7Kp2mQ9vL4nR8tWb3Zc and https://x.example/a/long-title-of-2019-with-words",
        ),
        long_word=random_strings.SHORTEST,
    ),
)
