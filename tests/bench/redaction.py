"""How much of what must be redacted is, and how much of what must not.

`python tests/bench/redaction.py` prints the tables of docs/privacy.md. The last is of 160 labels and values in the forms in
which a client or a writer parts or adorns them (tests/bench/secrets/forms): half of them, `develop`, were there while rules
were made, the half `apart` was written with it and looked at only as a figure. The first is of sentences as people write them
(tests/bench/secrets), by hands that had not seen the rules: half of them, `seen`, were there to make the rules better, the other
half was put away until they were done. The second is of a set that is made here anew each time: no secret in it is anybody's: the values are
drawn at random (the same ones each time) by the forms that their issuers describe, with check digits that are
right, and put into sentences, settings and commands as people write them. A `¦` keeps scanners from taking this
file for a leak.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.daemon.text.redaction.redact import redact, without_placeholders
from idiolect.daemon.text.redaction.tagger import Tagger

sys.path.insert(0, str(Path(__file__).parent))
from secret_tagger import KINDS as PROSE_KINDS
from secret_tagger import Sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Callable

HEX, LOWER, UPPER, DIGITS = "0123456789abcdef", string.ascii_lowercase, string.ascii_uppercase, string.digits
BASE62, BASE36 = string.ascii_letters + DIGITS, LOWER + DIGITS
BASE64, URL64 = BASE62 + "+/", BASE62 + "-_"
Draw = random.Random

#: Kinds that must be found nearly always, and the least recall of each and of all others.
STRICT = ("key", "token", "card", "iban")
LEAST_STRICT, LEAST = 0.98, 0.9


@dataclass(frozen=True)
class Case:
    """A text, and the secrets in it (none: nothing may be taken). `group` is what the table counts it under."""

    group: str
    text: str
    secrets: tuple[str, ...] = ()


def some(draw: Draw, letters: str, length: int) -> str:
    return "".join(draw.choice(letters) for _ in range(length))


def mixed(draw: Draw, letters: str, length: int) -> str:
    """Random characters of which at least one is a figure, as services make sure of."""
    made = some(draw, letters, length)
    return (
        made
        if any(map(str.isdigit, made)) or not any(map(str.isdigit, letters))
        else mixed(draw, letters, length)
    )


# --- keys and tokens -----------------------------------------------------------------------------------------

KEY_KINDS = ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")
KEY_AROUND = (
    "{}",
    "here is my key:\n\n{}\n\nplease keep it safe",
    "> {}\n> that was it",
    "cert.pem:\n{}\nEOF",
    'private_key: "{}"',
    "pasted by mistake {} sorry",
)


def key(draw: Draw, place: int) -> Case:
    if place % 7 == 5:  # a WireGuard key and the like
        secret = some(draw, BASE64, 43) + "="
        return Case("key", f"[Interface]\nPrivateKey = {secret}\nAddress = 10.0.0.2/32", (secret,))
    if place % 7 == 6:
        secret = "AGE-SECRET-¦KEY-1".replace("¦", "") + some(draw, UPPER + DIGITS, 58)
        return Case("key", f"age -d with {secret}", (secret,))
    kind = KEY_KINDS[place % len(KEY_KINDS)]
    lines = [some(draw, BASE64, 64) for _ in range(draw.randint(3, 20))] + [some(draw, BASE64, 30) + "=="]
    middle = "\\n" if place % 4 == 3 else "\n"
    whole = middle.join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])
    if place % 5 == 4:  # cut off
        whole = whole[: -len("-----END PRIVATE KEY-----") - 40]
    return Case("key", KEY_AROUND[place % len(KEY_AROUND)].format(whole), (whole,))


#: How services describe their tokens: pieces in quotes stand as they are, `(alphabet, length)` is random.
TOKENS: dict[str, tuple[str | tuple[str, int], ...]] = {
    "GitHub": ("gh¦p_", (BASE62, 36)),
    "GitHub app": ("gh¦s_", (BASE62, 36)),
    "GitHub fine-grained": ("github¦_pat_", (BASE62, 22), "_", (BASE62, 59)),
    "GitLab": ("gl¦pat-", (URL64, 20)),
    "GitLab runner": ("gl¦rt-", (URL64, 20)),
    "AWS key id": ("AK¦IA", (UPPER + "234567", 16)),
    "AWS session key id": ("AS¦IA", (UPPER + "234567", 16)),
    "Slack bot": ("xo¦xb-", (DIGITS, 12), "-", (DIGITS, 13), "-", (BASE62, 24)),
    "Slack user": ("xo¦xp-", (DIGITS, 12), "-", (DIGITS, 12), "-", (DIGITS, 13), "-", (HEX, 32)),
    "Slack hook": (
        "https://hooks.sl¦ack.com/services/T",
        (UPPER + DIGITS, 8),
        "/B",
        (UPPER + DIGITS, 10),
        "/",
        (BASE62, 24),
    ),
    "Discord bot": ("M", (URL64, 25), ".", (URL64, 6), ".", (URL64, 38)),
    "Discord hook": ("https://disc¦ord.com/api/webhooks/", (DIGITS, 18), "/", (URL64, 68)),
    "Stripe": ("sk¦_live_", (BASE62, 24)),
    "Stripe restricted": ("rk¦_live_", (BASE62, 99)),
    "Stripe hook": ("wh¦sec_", (BASE62, 32)),
    "Google API": ("AI¦za", (URL64, 35)),
    "Google OAuth": ("ya¦29.a0", (URL64, 160)),
    "Google OAuth secret": ("GOC¦SPX-", (URL64, 28)),
    "Google refresh": ("1//¦0g", (URL64, 60)),
    "OpenAI": ("sk-¦proj-", (URL64, 74)),
    "OpenAI old": ("sk-¦", (BASE62, 20), "T3Blbk¦FJ", (BASE62, 20)),
    "Anthropic": ("sk-¦ant-api03-", (URL64, 93), "AA"),
    "Hugging Face": ("hf¦_", (string.ascii_letters, 34)),
    "Groq": ("gs¦k_", (BASE62, 52)),
    "Replicate": ("r8¦_", (BASE62, 37)),
    "Perplexity": ("pp¦lx-", (BASE62, 48)),
    "npm": ("np¦m_", (BASE62, 36)),
    "PyPI": ("py¦pi-AgEIcHlwaS5vcmc", (URL64, 130)),
    "RubyGems": ("ruby¦gems_", (HEX, 48)),
    "crates.io": ("ci¦o", (BASE62, 32)),
    "Docker Hub": ("dckr¦_pat_", (URL64, 27)),
    "SendGrid": ("SG¦.", (URL64, 22), ".", (URL64, 43)),
    "Mailgun": ("key¦-", (HEX, 32)),
    "Mailchimp": ((HEX, 32), "¦-us12"),
    "Twilio": ("SK¦", (HEX, 32)),
    "Square": ("sq0¦atp-", (URL64, 22)),
    "DigitalOcean": ("dop¦_v1_", (HEX, 64)),
    "Shopify": ("shp¦at_", (HEX, 32)),
    "Telegram": ((DIGITS, 9), ":¦AA", (URL64, 33)),
    "Databricks": ("da¦pi", (HEX, 32)),
    "Atlassian": ("AT¦ATT3xFfGF0", (URL64, 180)),
    "Bitbucket": ("AT¦BB", (BASE62, 32)),
    "Linear": ("lin¦_api_", (BASE62, 40)),
    "Notion": ("nt¦n_", (BASE62, 46)),
    "Postman": ("PM¦AK-", (HEX, 24), "-", (HEX, 34)),
    "Figma": ("fi¦gd_", (URL64, 40)),
    "Grafana": ("gl¦sa_", (BASE62, 32), "_", (HEX, 8)),
    "Vault": ("hv¦s.", (URL64, 95)),
    "Terraform": ((BASE62, 14), ".atla¦sv1.", (URL64, 67)),
    "Doppler": ("dp.¦pt.", (BASE62, 43)),
    "Sentry": ("snt¦ryu_", (HEX, 64)),
    "New Relic": ("NR¦AK-", (UPPER + DIGITS, 27)),
    "PlanetScale": ("pscale¦_tkn_", (URL64, 43)),
    "Netlify": ("nf¦p_", (BASE62, 36)),
    "Supabase": ("sb¦p_", (HEX, 40)),
    "Airtable": ("pa¦t", (BASE62, 14), ".", (HEX, 64)),
    "Heroku": ("HRKU¦-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    "Tailscale": ("tskey¦-auth-", (BASE62, 17), "-", (BASE62, 32)),
    "Alibaba": ("LT¦AI", (BASE62, 20)),
    "JSON web token": ("ey¦JhbGciOiJIUzI1NiJ9.ey¦J", (URL64, 40), ".", (URL64, 43)),
    "Azure storage": ("DefaultEndpointsProtocol=https;AccountName=x;Account¦Key=", (BASE64, 86), "=="),
    "Azure AD": ((BASE62, 3), "8¦Q~", (URL64, 34)),
    "SonarQube": ("sq¦p_", (HEX, 40)),
    "Artifactory": ("AKC¦p", (BASE62, 69)),
    "Mapbox": ("sk.¦eyJ", (URL64, 60), ".", (URL64, 22)),
    "Facebook": ("EAA¦CEdEose0cBA", (BASE62, 100)),
    "Dynatrace": ("dt0¦c01.", (UPPER + DIGITS, 24), ".", (UPPER + DIGITS, 64)),
    "Buildkite": ("bk¦ua_", (HEX, 40)),
}
TOKEN_AROUND = (
    "use {} for now", "GITHUB_TOKEN={}", "my token is {}, don't tell anyone", "curl -H 'Authorization: Bearer {}' https://x.example",
    'auth: "{}"', "I pushed {} by accident. Can you revoke it?", "{}", "export API={} && make", "({})", "key={}&x=1",
)  # fmt: skip # several to a line


def token(draw: Draw, place: int) -> Case:
    name = list(TOKENS)[place % len(TOKENS)]
    parts = [
        part if isinstance(part, str) else mixed(draw, *part) if part[1] > 6 else some(draw, *part)
        for part in TOKENS[name]
    ]
    value = "".join(part.replace("¦", "") for part in parts)
    secret = parts[1] if name == "Azure storage" else value
    around = TOKEN_AROUND[(place + place // len(TOKENS)) % len(TOKEN_AROUND)]
    return Case("token", around.format(value), (secret,))


# --- passwords and codes -------------------------------------------------------------------------------------

WORDS = [
    "orange",
    "river",
    "candle",
    "winter",
    "harbour",
    "pencil",
    "tiger",
    "window",
    "garden",
    "silver",
    "marble",
    "rocket",
    "violin",
    "lemon",
]
SYMBOLS = "!#$%*@?+-_"


def password(draw: Draw) -> str:
    """As people make them."""
    word, other = draw.choice(WORDS), draw.choice(WORDS)
    return draw.choice(
        (
            f"{word.capitalize()}{draw.randint(1, 9999)}",
            f"{word}{draw.choice(SYMBOLS[:6])}{draw.randint(10, 99)}",
            f"{word[:4]}0{other[:3]}!{draw.randint(1, 9)}",
            f"{word}{other.capitalize()}{draw.choice('!$%#')}",
            some(draw, BASE62 + "!$%*", draw.randint(9, 14)) + "7x",
            f"{word}-{other}-{draw.randint(10, 99)}",
        )
    )


PASSWORD_AROUND = (
    "password: {}", "Password = {}", "the wifi password is {}.", "pw: {}", "user ann, pass: {}", "PASSWORD={}", "DB_PASSWORD={}",
    '"password": "{}"', "passwd: {}\nhost: db1", "Passwort: {}", "mot de passe : {}", "contraseña: {}", "wachtwoord: {}", "senha: {}",
    "hasło: {}", "пароль: {}", "密码：{}", "パスワード: {}", "login: ann / password: {}", "Your temporary password is: {}",
    "secret_key = '{}'", "export MYSQL_PWD={}", "spring.datasource.password={}", "<password>{}</password>", "Server=db;Uid=x;Pwd={};Port=1",
    "login is ann@example.org and the password is {}", "username: ann\npassword: {}\n", "pwd={} works", "passphrase: {}", "wpa key: {}",
    "My password was {} until today", "PIN code and password: {}", "machine h login ann password {}", "root password - {}", "api_key: {}",
)  # fmt: skip # several to a line
URL_AROUND = (
    "postgres://ann:{}@db.example.org:5432/x", "git clone https://ann:{}@git.example.org/x.git", "mongodb+srv://u:{}@c.example.net/?w=1",
    "redis://:{}@10.0.0.5:6379/0", "see ftp://bob:{}@files.example.org for it", "amqp://guest:{}@mq/", "http_proxy=http://me:{}@proxy:3128",
    "smtp://x%40example.org:{}@mail.example.org:587", "rtsp://admin:{}@192.168.1.20/live", "https://x.example/reset?token={}",
)  # fmt: skip # several to a line
COMMAND_AROUND = (
    "mysql -u root -p{} shop", "curl -u ann:{} https://x.example", "sshpass -p {} ssh ann@h", "PGPASSWORD={} psql -h db", "docker login -u x -p {}",
    "tool --password={} --verbose", "tool --password '{}'", "htpasswd -b .htpasswd ann {}", "mysqldump --password={} db > x.sql",
    "ansible-playbook site.yml -e ansible_password={}", "openssl enc -k pass:{} -in a", "wget --user=ann --password={} https://x.example",
    "net use z: \\\\h\\s /user:ann {}", "redis-cli -a {} ping", "7z a -p{} x.7z y", "echo {} | sudo -S ls",
)  # fmt: skip # several to a line
CODE_AROUND = (
    "My PIN is {4}", "PIN: {4}", "Pin code {4}", "Your verification code is {6}", "{6} is your verification code.", "G-{6} is your Google verification code",
    "Your code: {6}. Do not share it", "Use {6} to log in", "Enter code {6} to confirm", "OTP {6}", "OTP is {6} for your payment", "one-time code {6}",
    "Your login code is {3}-{3}", "2FA code: {3} {3}", "Ihr Bestätigungscode lautet {6}", "TAN: {6}", "code de vérification : {6}", "Tu código es {6}",
    "CVV {3}", "cvc: {3}", "security code: {4}", "the door code is {4}#", "SIM PIN {4}, PUK {8}", "password reset code: {6}", "Your confirmation code: {5}",
    "passcode is {6}",
)  # fmt: skip # several to a line


def with_password(group: str, arounds: tuple[str, ...]) -> Callable[[Draw, int], Case]:
    def made(draw: Draw, place: int) -> Case:
        secret = password(draw)
        if group == "password in a URL":
            secret = secret.translate(str.maketrans("#?@%$", "-_..-"))
        return Case(group, arounds[place % len(arounds)].format(secret), (secret,))

    return made


def code(draw: Draw, place: int) -> Case:
    around, secrets = CODE_AROUND[place % len(CODE_AROUND)], []
    for length in (3, 4, 5, 6, 8):
        while (slot := f"{{{length}}}") in around:
            secrets.append(some(draw, "123456789", length))
            around = around.replace(slot, secrets[-1], 1)
    return Case("code", around, tuple(secrets))


# --- numbers with check digits -------------------------------------------------------------------------------


def luhn(digits: str) -> str:
    total = sum(
        sum(divmod(int(digit) * 2, 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(reversed(digits))
    )
    return digits + str(-total % 10)


CARDS = (
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("65", 16),
    ("3528", 16),
    ("36", 14),
    ("62", 16),
    ("2200", 16),
    ("6759", 16),
)
NUMBER_AROUND = (
    "{}", "my card is {}", "Visa {} exp 04/29", "charge it to {}, please.", "number: {}", "({})", "was it {} or another one?",
    "transfer to {} by Friday", "ref {} thanks", "{} - that is the one", "please use\n{}\nfor this", "it's {}!",
)  # fmt: skip # several to a line


def card(draw: Draw, place: int) -> Case:
    prefix, length = CARDS[place % len(CARDS)]
    digits = luhn(prefix + some(draw, DIGITS, length - 1 - len(prefix)))
    style = draw.randrange(3)
    cuts = (4, 10) if length in (14, 15) else (4, 8, 12)
    separator = ("", " ", "-")[style]
    parts = [digits[start:end] for start, end in zip((0, *cuts), (*cuts, length), strict=True)]
    written = separator.join(parts)
    return Case("card", NUMBER_AROUND[place % len(NUMBER_AROUND)].format(written), (written,))


IBANS = {  # the account's part: n a figure, a a letter, c either
    "DE": "n" * 18, "GB": "aaaa" + "n" * 14, "FR": "n" * 10 + "c" * 11 + "nn", "ES": "n" * 20, "IT": "a" + "n" * 10 + "c" * 12, "NL": "aaaa" + "n" * 10,
    "BE": "n" * 12, "AT": "n" * 16, "CH": "n" * 5 + "c" * 12, "PL": "n" * 24, "SE": "n" * 20, "NO": "n" * 11, "DK": "n" * 14, "FI": "n" * 14,
    "PT": "n" * 21, "IE": "aaaa" + "n" * 14, "CZ": "n" * 20, "GR": "n" * 7 + "c" * 16, "LU": "nnn" + "c" * 13, "TR": "n" * 6 + "c" * 16,
    "SA": "nn" + "c" * 18, "AE": "n" * 19, "MT": "aaaa" + "n" * 5 + "c" * 18, "HU": "n" * 24, "LT": "n" * 16, "RO": "aaaa" + "c" * 16,
}  # fmt: skip # several to a line


def iban(draw: Draw, place: int) -> Case:
    country = list(IBANS)[place % len(IBANS)]
    account = "".join(
        draw.choice({"n": DIGITS, "a": UPPER, "c": UPPER + DIGITS}[what]) for what in IBANS[country]
    )
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    whole = f"{country}{98 - number % 97:02d}{account}"
    if place % 3:
        whole = " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))
    if place % 10 == 9:
        whole = whole.lower()
    return Case("iban", NUMBER_AROUND[place % len(NUMBER_AROUND)].format(whole), (whole,))


#: By country: the module of python-stdnum that knows what is right; a mask (Y year, M month, D day; 0 a figure, A a
#: letter, other signs as they are); sentences, which name the number where its form alone says too little.
IDS = {
    "US": ("us.ssn", "000-00-0000", ("{}", "SSN {}", "my social is {}")),
    "FR": ("fr.nir", "1 YY MM 75 000 000 00", ("{}", "numéro de sécu : {}", "NIR {}")),
    "FR close": ("fr.nir", "2YYMM6900000000", ("{}", "sécurité sociale {}")),
    "IT": ("it.codicefiscale", "AAAAAAYYCDDH501A", ("codice fiscale {}", "{}", "CF: {}")),
    "ES": ("es.dni", "00000000A", ("DNI {}", "{}", "mi dni es {}")),
    "ES foreign": ("es.nie", "X0000000A", ("NIE {}", "{}")),
    "DE": (
        "de.idnr",
        "00000000000",
        ("Steuer-ID: {}", "meine Steueridentifikationsnummer ist {}", "IdNr. {}"),
    ),
    "DE spaced": ("de.idnr", "00 000 000 000", ("Steuer-ID {}", "Steuernummer (IdNr): {}")),
    "NL": ("nl.bsn", "000000000", ("BSN {}", "mijn BSN is {}", "burgerservicenummer: {}")),
    "BE": ("be.nn", "YY.MM.DD-000.00", ("{}", "rijksregisternummer {}")),
    "CH": ("ch.ssn", "756.0000.0000.00", ("{}", "AHV-Nr. {}")),
    "SE": ("se.personnummer", "YYMMDD-0000", ("{}", "personnummer {}")),
    "SE long": ("se.personnummer", "19YYMMDD-0000", ("{}", "personnummer: {}")),
    "NO": ("no.fodselsnummer", "DDMMYY00000", ("{}", "fødselsnummer {}")),
    "FI": ("fi.hetu", "DDMMYY-000A", ("{}", "henkilötunnus {}")),
    "DK": ("dk.cpr", "DDMMYY-0000", ("CPR {}", "cpr-nr. {}", "CPR-nummer: {}")),
    "PL": ("pl.pesel", "YYMMDD00000", ("PESEL {}", "PESEL: {}")),
    "CZ": ("cz.rc", "YYMMDD/0000", ("{}", "rodné číslo {}")),
    "RO": ("ro.cnp", "1YYMMDD400000", ("CNP {}", "CNP: {}")),
    "BG": ("bg.egn", "YYMMDD0000", ("EGN {}", "ЕГН: {}")),
    "HR": ("hr.oib", "00000000000", ("OIB {}", "OIB: {}")),
    "EE": ("ee.ik", "3YYMMDD0000", ("isikukood {}", "isikukood: {}")),
    "GR": ("gr.amka", "DDMMYY00000", ("AMKA {}", "ΑΜΚΑ: {}")),
    "PT": ("pt.nif", "200000000", ("NIF {}", "NIF: {}")),
    "IE": ("ie.pps", "0000000AA", ("PPS number {}", "PPSN {}")),
    "UK health": ("gb.nhs", "000 000 0000", ("NHS number {}", "my NHS no. is {}")),
    "CA": ("ca.sin", "000 000 000", ("SIN {}", "my social insurance number is {}", "SIN: {}")),
    "AU": ("au.tfn", "000 000 000", ("TFN {}", "tax file number: {}")),
    "BR": ("br.cpf", "000.000.000-00", ("{}", "CPF {}")),
    "BR close": ("br.cpf", "00000000000", ("CPF {}", "CPF: {}")),
    "CL": ("cl.rut", "00.000.000-0", ("{}", "RUT {}")),
    "AR": ("ar.cuit", "20-00000000-0", ("{}", "CUIL {}")),
    "MX": ("mx.curp", "AAAAYYMMDDHDFAAA00", ("CURP {}", "{}")),
    "IN": ("in_.aadhaar", "0000 0000 0000", ("Aadhaar {}", "my aadhaar number is {}")),
    "IN tax": ("in_.pan", "AAAPA0000A", ("PAN {}", "PAN card: {}")),
    "CN": ("cn.ric", "440106YEARMMDD0000", ("{}", "身份证号 {}")),
    "KR": ("kr.rrn", "YYMMDD-1000000", ("{}", "주민등록번호 {}")),
    "ZA": ("za.idnr", "YYMMDD 0000 080", ("ID number {}", "SA ID: {}")),
    "TR": ("tr.tckimlik", "10000000000", ("TC kimlik no {}", "T.C. kimlik: {}")),
    "TH": ("th.pin", "0-0000-00000-00-0", ("{}", "ID {}")),
    "PK": ("pk.cnic", "00000-0000000-0", ("{}", "CNIC {}")),
    "IL": ("il.idnr", "000000000", ("teudat zehut {}", "ID number: {}")),
    "MY": ("my.nric", "YYMMDD-14-0000", ("{}", "NRIC {}")),
}


def national(draw: Draw, place: int) -> Case:
    module, mask, arounds = list(IDS.values())[place % len(IDS)]
    country = importlib.import_module(f"stdnum.{module}")
    valid = country.is_valid
    if module == "cn.ric":  # it wants a county that there was in that year, too

        def valid(number: str) -> bool:
            return bool(country.calc_check_digit(number[:-1]) == number[-1])

    while True:
        year, month, day = draw.randint(1940, 1999), draw.randint(1, 12), draw.randint(1, 28)
        dated = {"YEAR": f"{year}", "YY": f"{year % 100:02d}", "MM": f"{month:02d}", "DD": f"{day:02d}"}
        parts = re.findall("YEAR|YY|MM|DD|.", mask)
        drawn = {"0": DIGITS, "A": UPPER}
        written = "".join(dated.get(part) or draw.choice(drawn.get(part, part)) for part in parts)
        if valid(written):
            around = arounds[(place // len(IDS)) % len(arounds)]
            return Case("national id", around.format(written), (written,))


RANDOM_AROUND = (
    "the backup code is {}",
    "{}",
    "put {} into the vault",
    "X-Thing: {}",
    "it printed {} and stopped",
    "licence {}",
    "tmp={}",
    "see '{}'",
)


def unlabelled(draw: Draw, place: int) -> Case:
    letters, length = ((BASE62, 24), (BASE62, 32), (BASE64, 40), (URL64, 43), (BASE36, 32), (BASE62, 20))[
        place % 6
    ]
    secret = mixed(draw, letters, length)
    return Case("random string", RANDOM_AROUND[place % len(RANDOM_AROUND)].format(secret), (secret,))


def positives() -> list[Case]:
    """What must be redacted, the same each time."""
    draw = random.Random(20_260_131)
    wanted: list[tuple[int, Callable[[Draw, int], Case]]] = [
        (30, key),
        (2 * len(TOKENS), token),
        (3 * len(PASSWORD_AROUND), with_password("password", PASSWORD_AROUND)),
        (3 * len(URL_AROUND), with_password("password in a URL", URL_AROUND)),
        (3 * len(COMMAND_AROUND), with_password("password in a command", COMMAND_AROUND)),
        (2 * len(CODE_AROUND), code),
        (52, card),
        (52, iban),
        (3 * len(IDS), national),
        (48, unlabelled),
    ]
    return [make(draw, place) for count, make in wanted for place in range(count)]


# --- what must stay --------------------------------------------------------------------------------------------

PROSE = (
    "I forgot my password again, can you reset it for me?", "The secret of a good soup is patience.", "Keep the key under the mat.", "She has a pin on her coat, number 4 of 12.",
    "The token economy was discussed for hours.", "He said: pass the salt.", "A password should have at least 12 characters.", "Password reset: please see the link below",
    "What is the code for the zip file's licence?", "Our area code is 415 and the zip code is 90210.", "The error code is 404, sometimes 500.", "The country code is 49.",
    "the key: be kind", "Key: C minor. Time: 4/4", "The API key goes into the settings; ask the admin for one.", "Pin 13 drives the LED.", "pins 4 to 8 are ground",
    "Tokens: 512 per second on this machine", "secret santa is on the 12th", "The password is required.", "password must be changed every 90 days", "She passed: 95 of 100",
    "code 3 of chapter 12", "bus pass: valid until 2027", "The dress code is casual", "use code SUMMER for nothing", "promo code: none this year", "the verification took 6 hours",
    "Error: invalid token", "unexpected token in line 4021", "access token expired, get another", "the session key was rotated in 2019", "public key cryptography since 1976",
    "login at 10:30, logout at 18:45", "user: ann, role: admin", "pass 2 of 3 is done", "the passport office opens at 9", "QR code on page 1234", "source code of 2048",
    "morse code, 1844", "PIN entry is disabled", "Passwords: see the vault", "The password field is empty", "the PIN was changed", "--password is an option that takes a value",
    "see --token in the manual", "Basic understanding of Python3 is enough", "bearer bonds of 1923", "the basic idea", "keyboard: qwerty",
)  # fmt: skip # several to a line
KEEP = (
    "fix in {hex7}", "commit {hex40}", "Merge {hex7} into {hex7}", "git revert {hex12}", "sha256:{hex64}", "md5 {hex32}", "tree {hex40} parent {hex40}", "blob {hex40}", "see {hex10}..{hex10}",
    "digest sha512-{b64_86}==", "SHA256:{b64_43} is its fingerprint", "etag \"{hex32}\"", "image@sha256:{hex64}", "container {hex12} exited", "build {d8}-{d4}",
    "v{d1}.{d2}.{d1}-rc{d1}", "version {d2}.{d1}.{d4}.{d3}", "python-{d1}.{d2}.{d1}-cp311-cp311-manylinux_2_17_x86_64.whl", "linux-{d1}.{d2}.0-{d2}-generic", "glibc {d1}.{d2}", "kernel {d1}.{d2}.{d2}",
    "id {uuid}", "{uuid}", "urn:uuid:{uuid}", "request {uuid} failed", "session of {uuid}",
    "ISBN {isbn}", "ISBN-10: {d1}-{d3}-{d5}-X", "ISSN {d4}-{d4}", "doi:10.{d4}/{d7}", "arXiv:{d4}.{d5}", "RFC {d4}, section {d1}.{d1}",
    "{year}-{month}-{day}", "{day}.{month}.{year}", "{year}{month}{day}", "{year}-{month}-{day}T{h}:{m}:{m}Z", "{year}{month}{day}{h}{m}{m}", "from {year} to {year}", "{year}/{month}/{day} {h}:{m}", "epoch {epoch}", "at {epoch}{d3} ms", "on {month}/{day}/{year}",
    "192.168.{d1}.{d2}", "10.{d2}.{d2}.{d1}/24", "fe80::{hex4}:{hex4}:{hex4}:{hex4}", "2001:db8:{hex4}:{hex4}::1", "mac 00:1b:{hex2}:{hex2}:{hex2}:{hex2}", "127.0.0.1:{d4}", "port {d4}",
    "call +44 20 7946 0{d3}", "tel. 030 {d6}", "(202) 555-01{d2}", "1-800-555-{d4}", "555-{d4}", "+1 202 555 01{d2} ext. {d3}", "my number is 0{d3} {d7}", "fax: +49 89 {d8}", "text me on 9{d3} {d4}",
    "IMG_{year}{month}{day}_{h}{m}{m}.jpg", "Screenshot_{year}-{month}-{day}-{h}-{m}-{m}.png", "report_final_v{d1}_{year}{month}{day}.docx", "backup-{year}{month}{day}.tar.gz", "/var/log/app-{year}{month}{day}.log", "DSC{d5}.NEF", "C:\\Users\\x\\Documents\\file{d3}.txt", "~/src/project{d1}/tests/test_{d3}.py",
    "getUserByEmailAddressAndPassword{d1}", "MAX_CONNECTION_RETRY_COUNT_{d2}", "org.example.project.module{d1}.SomeLongClassName", "test_what_happens_when_the_user_is_{d2}_years_old", "AbstractSingletonProxyFactoryBean{d1}", "kSecAttrAccessibleWhenUnlocked{d1}", "x86_64-unknown-linux-gnu", "INTERNAL_SERVER_ERROR_{d3}", "parseHTTPResponseCode{d3}FromHeaderString",
    "https://example.org/articles/{year}/{month}/{day}/a-long-title-of-an-article-{d3}", "https://example.org/?page={d2}&sort=date", "http://localhost:{d4}/api/v{d1}/users/{d4}", "https://github.com/x/y/commit/{hex40}", "https://github.com/x/y/pull/{d4}#issuecomment-{d9}", "https://youtu.be/{b62_11}", "https://example.org/wiki/File:Map_{d4}.svg", "ssh://git@example.org:{d4}/x.git", "mail ann{d2}@example.org",
    "it cost {d1},{d3},{d3}.{d2}", "{d1} {d3} {d3} euros", "order #{d8}", "invoice {year}-{d5}", "ticket ABC-{d5}", "case {d2}-{d6}", "flight LH{d4} at gate B{d2}", "room {d3}, floor {d1}", "page {d3}-{d3}", "lot {d6}", "part no. {d3}-{d5}-{d2}", "tracking {d2} {d4} {d4}", "loss {d1}.{d8}", "pi is 3.14159265358979323846", "{d3} x {d3} px, {d4} dpi", "lat {d2}.{d6}, lon {d2}.{d6}", "postcode SW1A {d1}AA", "plate B-XY {d4}",
    "![x](data:image/png;base64,{b64_300})", "data:image/jpeg;base64,{b64_400}==",
)  # fmt: skip # several to a line


def negatives() -> list[Case]:
    """What must stay as it is, the same each time."""
    draw = random.Random(20_260_201)
    slots: dict[str, Callable[[], str]] = {
        "year": lambda: str(draw.randint(1990, 2026)),
        "month": lambda: f"{draw.randint(1, 12):02d}",
        "day": lambda: f"{draw.randint(1, 28):02d}",
        "h": lambda: f"{draw.randint(0, 23):02d}",
        "m": lambda: f"{draw.randint(0, 59):02d}",
        "epoch": lambda: str(draw.randint(1_300_000_000, 1_790_000_000)),
        "uuid": lambda: "-".join(some(draw, HEX, length) for length in (8, 4, 4, 4, 12)),
        "isbn": lambda: (
            f"978-{draw.randint(0, 9)}-{some(draw, DIGITS, 2)}-{some(draw, DIGITS, 6)}-{draw.randint(0, 9)}"
        ),
    }
    alphabets = {"hex": HEX, "b64_": BASE64, "b62_": BASE62, "d": DIGITS}

    def fill(text: str) -> str:
        parts = text.split("{")
        made = [parts[0]]
        for part in parts[1:]:
            slot, _, rest = part.partition("}")
            if slot in slots:
                made.append(slots[slot]())
            else:
                name = slot.rstrip(DIGITS)
                made.append(some(draw, alphabets[name], int(slot[len(name) :])))
            made.append(rest)
        return "".join(made)

    cases = [Case("prose", text) for text in PROSE]
    return cases + [Case("look-alike", fill(text)) for text in KEEP for _ in range(4)]


# --- written later ---------------------------------------------------------------------------------------------


def later() -> list[Case]:
    """Texts that were written when the rules were there, each with a part of its secret, or without one.

    At the first look 38 of the 48 secrets were found; rules were then widened, so the next look needs other texts.
    """
    path = Path(__file__).parent / "secrets" / "later.jsonl"
    rows = [json.loads(line.replace("¦", "")) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Case("written later", row["text"], (row["secret"],))
        if "secret" in row
        else Case("look-alike", row["text"])
        for row in rows
    ]


# --- one label and value in many forms ---------------------------------------------------------------------------

FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "in one text": (("", "{said} {value}{behind}"),),
    "in pieces: the field was left before the value": (("{said} ", "{value}{behind}"),),
    "in a new line of one text": (("", "{label}:\n{value}"), ("", "{label}:\n\n{value}\nSee you on Sunday.")),
    "in pieces: Enter before the value": (
        ("{label}:\n", "{value}\nSee you on Sunday."),
        ("{label}:", "\n{value}"),
    ),
    "in backticks": (("", "{said} `{value}`{behind}"), ("", "{label}: `{value}`{behind}")),
    "in quotes": tuple(
        ("", f"{{said}} {one}{{value}}{other}{{behind}}") for one, other in ('""', "''", "“”", "„“")
    ),
    "behind capitals": (("", "{shouted} {value}{behind}"),),
}
"""What stands before a text, and the text: `said` is the label with its verb."""
ALIKE = FORMS | {
    "in backticks": (("", "`{label}` {value}"),),
    "in quotes": tuple(("", f"{one}{{label}}{other} {{value}}") for one, other in ('""', "''", "“”", "„“")),
}
"""The same for look-alikes, which have their labels in quotes."""


@dataclass(frozen=True)
class Piece:
    """A text to redact, what stands before it, and the secret in it ("" where there is none)."""

    before: str
    text: str
    secret: str


def in_forms(part: str) -> dict[str, list[Piece]]:
    """The labels and values of a part, `develop` or `apart`, in each form."""
    path = Path(__file__).parent / "secrets" / "forms" / f"{part}.jsonl"
    found: dict[str, list[Piece]] = {form: [] for form in FORMS}
    for line in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        said = " ".join(filter(None, (one["label"], one.get("link", ""))))
        secret = one.get("secret", "")
        behind = one["behind"]
        slots = {"label": one["label"], "said": said, "shouted": said.upper()}
        slots |= {"value": secret or behind, "behind": behind if secret else ""}
        for form, writings in (FORMS if secret else ALIKE).items():
            found[form] += [
                Piece(before.format(**slots), text.format(**slots), secret) for before, text in writings
            ]
    return found


def forms(part: str = "apart") -> dict[str, tuple[int, int, int, int]]:
    """By form: texts with a secret, those that keep nothing of it, look-alikes, and those that lost something."""
    figures = {}
    for form, pieces in in_forms(part).items():
        left = [(one, redact(one.text, before=one.before)) for one in pieces]
        secret = [not remains((one.secret,), kept) for one, (kept, _) in left if one.secret]
        alike = [bool(count) for one, (_, count) in left if not one.secret]
        figures[form] = len(secret), sum(secret), len(alike), sum(alike)
    return figures


def forms_table() -> str:
    """The figures by form as a table in Markdown."""
    rows = [
        "| the value stands | texts | found | while rules were made | look-alikes | taken |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    seen = forms("develop")
    for form, (texts, found, alike, taken) in forms().items():
        rows.append(
            f"| {form} | {texts} | {found} ({found / texts:.1%}) | {seen[form][1] / seen[form][0]:.1%} | {alike} | {taken} |"
        )
    return "\n".join(rows)


# --- figures ---------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """How many cases there are, in how many all secrets went, and in how many the rest was kept to the letter."""

    cases: int = 0
    found: int = 0
    kept: int = 0


def missed(case: Case) -> bool:
    """Whether something of a secret is left: any eight characters of it, or all of a shorter one."""
    return remains(case.secrets, redact(case.text)[0])


def remains(secrets: tuple[str, ...], left: str) -> bool:
    """Whether a text that is left holds any eight characters of a secret, or all of a shorter one."""
    for secret in secrets:
        size = min(len(secret), 8)
        if any(secret[start : start + size] in left for start in range(len(secret) - size + 1)):
            return True
    return False


def damaged(case: Case) -> bool:
    """Whether something was taken that is no secret; of data that no person types, taking it is right."""
    left, count = redact(case.text)
    if not case.secrets:
        return bool(count) and "[data]" not in left
    around = case.text
    for secret in case.secrets:
        around = around.replace(secret, " ")
    words = [word for word in around.split() if word.isalpha() and len(word) > 3]
    kept = without_placeholders(left)
    return any(word not in kept for word in words)


def scores() -> dict[str, Score]:
    """The figures by group."""
    found: dict[str, Score] = {}
    for case in (*positives(), *negatives(), *later()):
        score = found.setdefault(case.group, Score())
        score.cases += 1
        score.found += bool(case.secrets) and not missed(case)
        score.kept += not damaged(case)
    return found


def people() -> str:
    """What is found of secrets in sentences as people write them, as a table in Markdown: by which net, and in all."""
    unseen, seen = sentences("unseen"), sentences("seen")
    rows = [
        "| kind | texts | found | by the rules alone | by the tagger alone | of those that the rules' writers saw |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    groups = {kind: (kind,) for kind in dict.fromkeys(one.kind for one in unseen) if kind != "none"}
    groups |= {
        "**prose**": PROSE_KINDS,
        "**by form**": tuple(kind for kind in groups if kind not in PROSE_KINDS),
    }
    for name, kinds in groups.items():
        those = [one for one in unseen if one.kind in kinds]
        before = [one for one in seen if one.kind in kinds]
        cells = [_found(those, net) for net in (redact, by_rules, by_tagger)] + [_found(before, redact)]
        rows.append(f"| {name} | {len(those)} | {' | '.join(cells)} |")
    quiet = [one for one in unseen if one.kind == "none"]
    taken = sum(bool(redact(one.text)[1]) for one in quiet)
    rows.append(f"| look-alikes | {len(quiet)} | {taken} taken | | | |")
    return "\n".join(rows)


def by_rules(text: str) -> tuple[str, int]:
    """What the rules find without the tagger."""
    return redact(text, prose=False)


def by_tagger(text: str) -> tuple[str, int]:
    """What the tagger finds without the rules."""
    found = Tagger.load().find(text)
    for start, end in reversed(found):
        text = f"{text[:start]}[password]{text[end:]}"
    return text, len(found)


def _found(texts: list[Sentence], net: Callable[[str], tuple[str, int]]) -> str:
    """In how many texts a net leaves nothing of a secret, and which share that is."""
    found = sum(not remains(one.secrets, net(one.text)[0]) for one in texts)
    return f"{found} ({found / max(len(texts), 1):.1%})"


def table() -> str:
    """The figures as a table in Markdown."""
    rows = ["| kind | texts | found | the rest kept |", "|---|---:|---:|---:|"]
    for group, score in scores().items():
        recall = (
            f"{score.found / score.cases:.1%}" if group not in ("prose", "look-alike") else "nothing to find"
        )
        rows.append(f"| {group} | {score.cases} | {recall} | {score.kept / score.cases:.1%} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(people(), table(), forms_table(), sep="\n\n")
