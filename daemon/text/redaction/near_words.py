"""Secrets by a word some words away: keys, codes, and the numbers of persons, papers and accounts.

Each table is a grammar of words in seven languages (`cue_grammar.py`) and of the forms that they tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from idiolect.daemon.text.redaction.check_digits import check
from idiolect.daemon.text.redaction.cue_grammar import Form, Grammar
from idiolect.daemon.text.redaction.harmless_numbers import counts_something
from idiolect.daemon.text.redaction.random_strings import (
    is_drawn_base32,
    is_drawn_key,
    is_grouped_by_hand,
)
from idiolect.daemon.text.redaction.rule import DONE, Span, lazy

# --- keys

#: Of the length of keys.
HEX: Final = r"(?=[0-9]{0,40}[a-fA-F])(?=[a-fA-F]{0,40}[0-9])[0-9a-fA-F]{32,128}"
_UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
#: Right before it: it is the name of a version, a file or a thing.
_NAMES_A_THING: Final = lazy(
    r"(?<![^\W_])(?:commits?|git|sha-?\d*|md5|hash|checksum|digest|[ug]uid|revision|rev|tree|blob|etag|request|logs?|crash|disk|object"
    r"|(?:primary|foreign|public|cache|partition|row|session) key)\W{0,3}(?:\w{1,12}\W{1,3}){0,2}\Z"
)
#: Of hexadecimal, groups and runs.
KEYS: Final = Grammar(
    r"(?<![\w/.])(?:[0-9a-fA-F]{8}(?:[0-9a-fA-F]{24}|(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?=[A-Za-z]{0,7}\d|[A-Za-z]{4,8}-[A-Za-z]{0,7}\d)[A-Za-z0-9]{4,8}-[A-Za-z0-9]{4,8}-[A-Za-z0-9]{4}"
    r"|(?=[A-Za-z]{0,15}\d)[A-Za-z0-9]{14}"
    r"|(?=[a-z]{1,9}[A-Z])[A-Za-z]{16}|(?=[A-Z]{1,9}[a-z])[A-Za-z]{16})",
    (
        (
            r"api\b|api[ _-]?keys?\b|api[ _-]?token|apikey|app[ _-]?id\b|app[ _-]?key|keys?\b|tokens?\b|secret|clés?\b|cle api|clave"
            r"|schlüssel|schluessel|chaves?\b|chiav[ei]\b|sleutel|bearer|credential|authenti|authori[sz]|auth\b|long-lived"
            r"|x-api|x-auth|x-token|zugang|webhook|jeton\b|segredo|segreto|secreto|geheim",
            "hex groups? run? short?",
        ),
        (
            r"revok|revoc|révoqu|rotat|regener|leaked|leak\b|vazou|widerruf|publieke commit|public (?:commit|repo)|commit p[uú]b"
            r"|repo público|dépôt public|intrekken|zurückzieh",
            "leaked",
        ),
        (
            r"licen[csz]|lizenz|serial|activat|aktivier|activer|activar|attiva|ativa|réactiv|reactiv|produktschl|product key",
            "hex groups? run?",
        ),
    ),
    {
        "hex": Form(rf"{HEX}|{_UUID}", unless=_NAMES_A_THING),
        "leaked": Form(HEX, behind=10, before=10),
        "groups": Form(
            rf"{DONE}[A-Za-z0-9]{{4,8}}(?:-[A-Za-z0-9]{{4,8}}){{2,7}}",
            is_grouped_by_hand,
            unless=_NAMES_A_THING,
        ),
        "run": Form(
            r"(?<!\+)[A-Za-z0-9+_-][A-Za-z0-9+/_-]{13,63}={0,2}(?![+/=])", is_drawn_key, unless=_NAMES_A_THING
        ),
        "short": Form(
            r"(?=[0-9]{0,30}[a-fA-F])(?=[a-fA-F]{0,30}[0-9])(?:[0-9a-f]{16,31}|[0-9A-F]{16,31})",
            lambda written: sum(map(str.isdigit, written)) > 2,
            behind=4,
            before=4,
            unless=_NAMES_A_THING,
        ),
    },
    begin=r"(?<![\w/.-])",
    end=r"(?![\w-])(?!\.\w)",
    shortest=14,
)
#: What is typed by hand in groups with spaces between.
TYPED_KEYS: Final = Grammar(
    r"(?<![\w-])(?:[A-Z0-9]{5}(?: [A-Z0-9]{5}){2}|[a-z]{4}(?:[ -][a-z]{4}){3}(?![^\W_]))",
    (
        (
            r"licen[csz]|lizenz|serial|activat|aktivier|activer|activar|attiva|ativa|product key|produktschl|keys?\b|clave|clé|chave",
            "spaced?",
        ),
        (
            r"app(?:lication)?[ -]?(?:specific )?passwor[dt]|app-?(?:kennwort|wachtwoord)|anwendungs(?:spezifisch|passwort|kennwort)"
            r"|mots? de passe d[’']app|contraseñas? de (?:la )?aplicaci|password (?:per|delle|dell[’'])\s?app|senha d[ea] app|palavra-passe d[ea] app",
            "small",
        ),
    ),
    {
        "spaced": Form(
            rf"{DONE}[A-Z0-9]{{5}}(?: [A-Z0-9]{{5}}){{2,5}}", is_grouped_by_hand, unless=_NAMES_A_THING
        ),
        "small": Form(r"[a-z]{4}(?:[ -][a-z]{4}){3}", behind=14, before=6),
    },
    begin=r"(?<![\w/.-])",
    end=r"(?![\w-])(?!\.\w)",
)
#: Base32, as authenticators are set up with.
BASE32: Final = Grammar(
    r"(?<![\w/+.-])(?=[A-Za-z]{0,64}[2-7])(?:[A-Z2-7]{16}|[a-z2-7]{16})",
    (
        (
            r"authenti|totp|otp\b|2fa\b|mfa\b|two-?factor|zwei-?faktor|doble factor|double authent|twee-?staps|setup"
            r"|set-up|qr\b|aegis|authy|secret|schlüssel|clave|clé|sleutel|chave|chiave|manual|manuel|handmatig|a mano",
            "base32?",
        ),
    ),
    {"base32": Form(r"[A-Z2-7]{16,64}|[a-z2-7]{16,64}", is_drawn_base32)},
    begin=r"(?<![\w/+.-])",
    end=r"(?![\w/+-])",
    shortest=16,
)

# --- codes

_AT: Final = r"(?<![\w.,/:+#-])(?<!\d )(?<![€$£] )"
_TO: Final = r"(?![\w#-])(?!\.\d|,\d|/\d|:\d| ?[€$£%°]| \d)"
#: Right before a number, or right behind it: it counts or names something.
_COUNTS: Final = lazy(
    r"(?:(?<![^\W_])(?:gas|meter|reading|stand|zähler|flat|unit|house|nummer ist|konto|account|rank|article"
    r"|artikel|artículo"
    r"|user|job|run|hotel|seat|platz|gleis|gate|channel|model|paint|colour|color|serial|seriennummer|plate|since|seit|from"
    r"|of|the|road|exit|flight|train|bus|version|error|master|type"
    r"|typ|no\.|nr\.|ref\.|code is on the)\W{1,3})\Z"
)
#: Sent once, or typed at a door.
SENT: Final = Grammar(
    r"[A-Z0-9](?<![\w.,/+].)(?:\d{2}[ -]?\d{3}(?!\d)|\d{2}(?<=[A-Z]\d\d)|\d{1,5}[A-Z*]|(?:-\d){3})",
    (
        (
            r"sms\b|texted\b|mtan\b|m-tan\b|tan\b|push-?tan|photo-?tan|otp\b|2fa\b|mfa\b|one[- ]time|einmal|eenmalig"
            r"|usage unique|solo uso|uso [úu]nico|usa e getta|verif|bestätig|bevestig|whatsapp|digid\b|authenti"
            r"|log(?:ged)? ?(?:you |me )?in\b|log-?in|anmeld|einlogg|inlogg|iniciar sesi|expires?\b|expir|runs out"
            r"|caduca|scade|läuft ab|verloopt|verlopen|sicherheitscode|prüfcode|sechs (?:ziffern|stellen)"
            r"|six (?:digits|figures|numbers)|seis (?:cifras|d[íi]gitos)|sei cifre|six chiffres|zes cijfers"
            r"|beveiligingscode|security code|código|codigo|codice|code\b|freigabe|minut[eoi]|hurry\b|quick\b|be quick"
            r"|text from|from your app|schnell\b|token do banco|jeton\b|autoriza|autorizza|autoris|banking|móvil|movil"
            r"|telem[óo]vel|celular",
            "code",
        ),
        (
            r"doors?\b|gates?\b|barrier|keypad|key ?box|keysafe|key safe|padlock|lockbox|shed\b|locker\b|entrance"
            r"|keycode|digicode|portail|grille\b|porche|boîte à clés|interphone|portone|cancello|cassetta delle chiavi"
            r"|cassettina|portão|porta\b|portal\b|cofrinho|cofre|verja|candado|cajita|teclado|tastiera|tastenfeld|haustür"
            r"|hoftor|tor\b|eingang|schlüsselkasten|schlüsseltresor|tiefgarage|voordeur|deur\b|poort|sleutelkast"
            r"|sleutelkluis|kluisje"
            r"|slagboom|hek\b",
            "door",
        ),
    ),
    {
        "code": Form(rf"(?:G-)?{DONE}(?:\d{{3}}[ -]\d{{3}}|\d{{6}})", behind=20, before=12, unless=_COUNTS),
        "door": Form(
            rf"{DONE}(?:[A-Z]\d{{4,5}}[A-Z]?|\d{{4,6}}[A-Z]|\d{{2}}[A-Z]\d{{2}}|[A-Z]\d{{2}}[A-Z]\d|\d{{4,6}}\*"
            r"|\d(?:-\d){3,5})",
            unless=_COUNTS,
        ),
    },
    begin=_AT,
    end=_TO,
)


def sent_codes(text: str) -> Iterator[Span]:
    """Where codes are in `text` that were sent once, or are typed at a door, each as [start, end)."""
    return (span for span in SENT.find(text) if not counts_something(text, *span))


# --- papers

_BEGIN: Final = r"(?<![\w.,/:])(?<![\d]-)(?<![#+(])(?<!\d )"
_END: Final = r"(?![\w-])(?!\.\d|,\d|/\d|:\d)"
_GAPS: Final = lazy(r"[ ./-]")


def _paper(pattern: str, right: str = "", behind: int = 12, before: int = 8) -> Form:
    valid = (lambda written: check(right)(_GAPS.sub("", written))) if right else None
    return Form(pattern, valid, behind, before)


#: How the numbers are written, by a name of our own; with the module of python-stdnum that knows the check digits.
_FORMS: Final[dict[str, Form]] = {
    "de": _paper(r"\d{2}[ ./]?\d{3}[ ./]?\d{3}[ ./]?\d{3}", "de.idnr"),
    "rv": _paper(r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
    "kv": _paper(r"[A-Z] ?\d{3} ?\d{3} ?\d{3}"),
    "at": _paper(r"\d{4}[ -]?\d{6}"),
    "nl": _paper(r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3}", "nl.bsn"),
    "be": _paper(r"\d{2}[. ]?\d{2}[. ]?\d{2}[ -]?\d{3}[. ]?\d{2}"),
    "nhs": _paper(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", behind=14),
    "utr": _paper(r"\d{5} ?\d{5}", "gb.utr"),
    "pt": _paper(r"\d{3}[ .]?\d{3}[ .]?\d{3}", "pt.nif"),
    "niss": _paper(r"\d{11}|\d{3} \d{3} \d{3} \d{2}"),
    "br": _paper(r"\d{3}[. ]?\d{3}[. ]?\d{3}[-/ ]?\d{2}", "br.cpf"),
    "ca": _paper(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin"),
    "au": _paper(r"\d{3} ?\d{3} ?\d{2,3}", "au.tfn"),
    "us": _paper(r"\d{3}[ -]\d{2}[ -]\d{4}|\d{9}", "us.ssn"),
    "pl": _paper(r"\d{11}", "pl.pesel"),
    "in": _paper(r"\d{4}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar"),
    "fr": _paper(r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", "fr.nif"),
    "nir": _paper(r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3}(?: ?\d{2})?"),
    "es": _paper(r"\d{2}[ /-]?\d{7,8}[ /-]?\d{2}"),
    "dni": _paper(r"\d{1,2}\.?\d{3}\.?\d{3}[ -]?[A-Za-z]|[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]"),
    "cf": _paper(
        r"(?i:[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2} ?[A-EHLMPRST] ?[\dLMNP-V]{2} ?[A-Z] ?[\dLMNP-V]{3} ?[A-Z])"
    ),
    "nino": _paper(r"(?i:[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D])"),
    # Without check digits: told by a clear word alone.
    "passport": _paper(r"(?=(?:[A-Z]{0,4}\d){4})(?:[A-Z0-9]{7,10}|[A-Z]{1,3} ?\d{6,9})"),
    "licence": _paper(r"(?=(?:[A-Z]{0,5}\d){4})(?:[A-Z0-9]{8,16}|[A-Z]\d{3}[ -]\d{4}[ -]\d{4})"),
    "patient": _paper(r"(?:[A-Z]{1,3}-?)?\d{5,10}(?:-\d)?|\d{3,4}[ -]\d{3,4}(?:[ -]\d{2,4})?"),
    "sort": _paper(r"\d{2}-\d{2}-\d{2}|\d{2} \d{2} \d{2}|\d{6}", behind=8, before=5),
    "account": _paper(r"\d{7,12}|\d{4} \d{4}(?: \d{2,4})?", behind=8, before=3),
    "bank": _paper(  # as IBANs hold them: France, Spain, Portugal, Mexico, Australia, Germany
        r"\d{5} ?\d{5} ?[\dA-Z]{11} ?\d{2}|\d{4}[ -]?\d{4}[ -]?\d{2}[ -]?\d{10}|\d{4}[ .]?\d{4}[ .]?\d{11}[ .]?\d{2}"
        r"|\d{18}|\d{3} \d{3} \d{11} \d|\d{3}-\d{3}|\d{3} ?\d{3} ?\d{2}",
        behind=8,
        before=4,
    ),
    "dotted": _paper(r"\d{1,2}(?:\.\d{3}){2,3}|\d{8}", behind=6, before=4),
    "rg": _paper(r"\d{1,2}\.\d{3}\.\d{3}-?[\dXx]|\d{7,9}-[\dXx]", behind=6, before=4),
    "rfc": _paper(r"[A-ZÑ&]{3,4}[ -]?\d{6}[ -]?[A-Z0-9]{3}"),
    "ahv": _paper(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", "ch.ssn"),
    "voter": _paper(r"\d{4} ?\d{4} ?\d{4}"),
    "cuit": _paper(r"\d{2}[- ]?\d{8}[- ]?\d", "ar.cuit"),
    "health": _paper(
        r"\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2})?|\d{4} \d{5} \d|\d{15}|\d{3}(?: \d{4}){3}|[A-Z]{4} ?\d{10,12}"
        r"|[1-9][A-Z][A-Z0-9]\d[A-Z][A-Z0-9]\d[A-Z]{2}\d{2}|80\d{18}",
    ),
    "pis": _paper(r"\d{3}\.?\d{5}\.?\d{2}-?\d"),
    "routing": _paper(r"\d{9}", "us.rtn", behind=8, before=4),
}
_NUMBER: Final = r"(?:[ -]?(?:no|nr|num|number|nummer|n[uú]mero|numero|n[º°o])\b)"
#: Words as patterns, small letters, and the forms that they tell; with `?` only where the check digits hold.
_CUES: Final[tuple[tuple[str, str], ...]] = (
    (r"steuer-?(?:id|nummer|identifik)|idnr\b|identifikationsnummer", "de?"),
    (r"steuer|finanzamt|bundeszentralamt|kindergeld|elster\b", "de?"),
    (r"rentenversicher|sozialversicherungs?n|rvnr|svnr", "rv at"),
    (r"kranken(?:kasse|versich)|versicherten|gesundheitskarte|kvnr|egk\b", "kv"),
    (r"bsn\b|burgerservice|sofi", "nl?"),
    (r"toeslag|huisarts|gemeente|inschrijv|belasting|digid\b|zorgverzeker|kinderopvang", "nl?"),
    (r"rijksregister|registre national", "be"),
    (r"nhs\b", "nhs?"),
    (
        r"gp\b|surgery|clinic\b|hospital|referral|patient\b|nursery|dentist|ward\b|bloods\b|prescription",
        "nhs?",
    ),
    (r"utr\b|unique taxpayer", "utr?"),
    (
        r"tax (?:office|man|return|number|id)|taxpayer|hmrc\b|self[ -]assessment",
        "utr? de? us? ca? au? fr? nl?",
    ),
    (r"nif\b|contribuinte", "pt?"),
    (r"fatura|factura\b|finanças|irs\b|recibo", "pt? us?"),
    (r"segurança social|niss\b", "niss"),
    (r"cpf\b", "br?"),
    (r"pis\b|pasep\b|carteira de trabalho", "pis"),
    (r"cartório|receita federal|nota fiscal|convênio|pix\b", "br?"),
    (r"social insurance|assurance sociale|sin (?:number|no)\b", "ca?"),
    (r"sin\b|cra\b|t4\b|service canada", "ca?"),
    (r"tfn\b|tax file", "au?"),
    (r"payroll\b|ato\b", "au? ca? us?"),
    (r"ssn\b|social security", "us?"),
    (r"social\b|w2\b|w-[249]\b|w4\b|w9\b", "us?"),
    (r"pesel\b", "pl?"),
    (r"aadha+r|uidai\b", "in?"),
    (r"kyc\b", "in?"),
    (r"num[ée]ro fiscal|n° ?fiscal|nº ?fiscal|avis fiscal|identifiant fiscal|imp[ôo]ts\b|spi\b", "fr"),
    (r"sécu\b|secu\b|sécurité sociale|securite sociale|nir\b|carte vitale|ameli\b|cpam\b", "nir"),
    (r"seguridad social|afiliaci[óo]n|nuss\b|naf\b", "es"),
    (r"dni\b|nie\b|nif\b", "dni"),
    (r"dni\b|cédula|cedula|documento nacional", "dotted"),
    (r"rg\b|registro geral", "rg"),
    (r"rfc\b|sat\b", "rfc"),
    (r"ahv\b|avs\b|sozialversicherungs?n", "ahv?"),
    (r"título (?:de eleitor|eleitoral)|titulo (?:de eleitor|eleitoral)", "voter"),
    (r"cuil\b|cuit\b|afip\b", "cuit?"),
    (r"e-card\b", "at"),
    (
        r"medicare|medicaid|health card|health insurance|ohip\b|tarjeta sanitaria|tessera sanitaria"
        r"|cart[ãa]o (?:nacional )?d[eo] (?:sa[úu]de|sus)|cns\b|zorgpas|verzekerdennummer|ehic\b"
        r"|cart(?:e|ão) europ[ée]",
        "health",
    ),
    (r"codice fiscale|cf\b", "cf"),
    (r"national insurance|nino\b|ni number", "nino"),
    (
        r"passports?\b|reise-?p[aä]ss|pass-?n(?:r|ummer)|passeport|pasaporte|passaport[oe]|paspoort"
        r"|personalausweis|ausweis-?n|id card|identity card|carta d[’']identit|carte d[’']identit"
        r"|cartão de cidad|identiteitskaart|legitimati|cédula|perso\b|ausweis\b|cni\b|cie\b|documento d[’']identit"
        r"|documento de identi|titre de s[ée]jour|aufenthaltstitel|permesso di soggiorno|autoriza[çc][ãa]o de resid"
        r"|verblijfsver|verblijfsdoc|permiso de residencia|residence permit|travel document|green card|a-number"
        r"|alien (?:registration|number)|known travell?er|ktn\b|global entry|id-kaart|rijkspas"
        r"|kinderausweis|pass[ -]?(?:port)?[ -]?nr",
        "passport",
    ),
    (
        r"driv(?:ing|er[’']?s?) licen[cs]e|licen[cs]e (?:no|number|details)|führerschein|fuehrerschein"
        r"|permis\b|patente\b|carnet de conducir|permiso de conducir|licencia de conducir|carta de condu"
        r"|cnh\b|rijbewijs|dvla\b",
        "licence",
    ),
    (
        r"mrn\b|medical record|hospital (?:no|number)|patient(?:s|en)? ?-?(?:id|no|nr|number|nummer)\b|patiënt-?n"
        r"|fallnummer|aufnahmenummer|prontu[áa]rio|historia cl[íi]nica|nhc\b|cartella clinica"
        r"|dossier (?:m[ée]dical|patient)|numéro de dossier|processo clínico|utente\b|pati[ëe]ntnummer",
        "patient",
    ),
    (r"sort[ -]?code|s/c\b", "sort account"),
    (
        rf"ac(?:count|ct?){_NUMBER}|a/c{_NUMBER}|compte{_NUMBER}|cuenta{_NUMBER}|conto{_NUMBER}|conta{_NUMBER}|konto-?n(?:r|ummer)\b|rekeningn",
        "account",
    ),
    (r"routing\b|aba\b|abi\b", "routing account"),
    (r"rib\b|ccc\b|nib\b|clabe\b|bsb\b|blz\b|bankleitzahl", "bank account"),
    (r"kto\b|kontoverbindung", "account"),
)
#: Six figures, or four with capitals among them, and no date or time.
_WORTH: Final = (
    r"[A-Z0-9](?<![\w.].)(?!\d{3}-\d\d-\d\d(?!\d)|\d?[./]\d\d?[./]\d{2,4}(?!\d))"
    r"(?:(?:[A-Z]{0,4}-?\d)?(?:[ ./-]?\d){4,}|(?:[A-Z]{0,4}\d){3,})"
)
_PAPERS: Final = Grammar(_WORTH, _CUES, _FORMS, begin=_BEGIN, end=_END)
#: A British sort code with an account number soon behind it, whatever is said.
_PAIR: Final = lazy(rf"{_BEGIN}(?P<s>\d\d-\d\d-\d\d(?P<g>\D{{1,30}})\d{{8}}){_END}")


def papers(text: str) -> Iterator[Span]:
    """Where numbers of persons, papers and accounts are in `text`, each as [start, end)."""
    yield from _PAPERS.find(text)
    for match in _PAIR.finditer(text) if text.count("-") > 1 else ():
        yield match.start("s"), match.start("g")
        yield match.end("g"), match.end("s")
