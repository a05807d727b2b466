"""Rules for numbers of persons, documents and accounts, by a word in the sentence or the line before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idiolect.daemon.redaction.cue_grammar import Form, Grammar
from idiolect.daemon.redaction.lazy_pattern import lazy
from idiolect.daemon.redaction.national_ids import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idiolect.daemon.redaction.cards_and_ibans import Span

_AT: Final = r"(?<![\w.,/:])(?<![\d]-)(?<![#+(])(?<!\d )"
_GAPS: Final = lazy(r"[ ./-]")
_TO: Final = r"(?![\w-])(?!\.\d|,\d|/\d|:\d)"


def _form(pattern: str, right: str = "", behind: int = 12, before: int = 8) -> Form:
    valid = (lambda written: check(right)(_GAPS.sub("", written))) if right else None
    return Form(lazy(f"{_AT}(?:{pattern}){_TO}"), valid, behind, before)


#: How the numbers are written, by a name of our own; with the module of python-stdnum that knows the check digits.
FORMS: Final[dict[str, Form]] = {
    "de": _form(r"\d{2}[ ./]?\d{3}[ ./]?\d{3}[ ./]?\d{3}", "de.idnr"),
    "rv": _form(r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
    "kv": _form(r"[A-Z] ?\d{3} ?\d{3} ?\d{3}"),
    "at": _form(r"\d{4}[ -]?\d{6}"),
    "nl": _form(r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3}", "nl.bsn"),
    "be": _form(r"\d{2}[. ]?\d{2}[. ]?\d{2}[ -]?\d{3}[. ]?\d{2}"),
    "nhs": _form(r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", behind=14),
    "utr": _form(r"\d{5} ?\d{5}", "gb.utr"),
    "pt": _form(r"\d{3}[ .]?\d{3}[ .]?\d{3}", "pt.nif"),
    "niss": _form(r"\d{11}|\d{3} \d{3} \d{3} \d{2}"),
    "br": _form(r"\d{3}[. ]?\d{3}[. ]?\d{3}[-/ ]?\d{2}", "br.cpf"),
    "ca": _form(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin"),
    "au": _form(r"\d{3} ?\d{3} ?\d{2,3}", "au.tfn"),
    "us": _form(r"\d{3}[ -]\d{2}[ -]\d{4}|\d{9}", "us.ssn"),
    "pl": _form(r"\d{11}", "pl.pesel"),
    "in": _form(r"\d{4}[ -]?\d{4}[ -]?\d{4}", "in_.aadhaar"),
    "fr": _form(r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", "fr.nif"),
    "nir": _form(r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3}(?: ?\d{2})?"),
    "es": _form(r"\d{2}[ /-]?\d{7,8}[ /-]?\d{2}"),
    "dni": _form(r"\d{1,2}\.?\d{3}\.?\d{3}[ -]?[A-Za-z]|[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]"),
    "cf": _form(
        r"(?i:[A-Z]{3} ?[A-Z]{3} ?[\dLMNP-V]{2} ?[A-EHLMPRST] ?[\dLMNP-V]{2} ?[A-Z] ?[\dLMNP-V]{3} ?[A-Z])"
    ),
    "nino": _form(r"(?i:[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D])"),
    # Without check digits: told by a clear word alone.
    "passport": _form(r"(?=(?:[A-Z]{0,4}\d){4})(?:[A-Z0-9]{7,10}|[A-Z]{1,3} ?\d{6,9})"),
    "licence": _form(r"(?=(?:[A-Z]{0,5}\d){4})(?:[A-Z0-9]{8,16}|[A-Z]\d{3}[ -]\d{4}[ -]\d{4})"),
    "patient": _form(r"(?:[A-Z]{1,3}-?)?\d{5,10}(?:-\d)?|\d{3,4}[ -]\d{3,4}(?:[ -]\d{2,4})?"),
    "sort": _form(r"\d{2}-\d{2}-\d{2}|\d{2} \d{2} \d{2}|\d{6}", behind=8, before=5),
    "account": _form(r"\d{7,12}|\d{4} \d{4}(?: \d{2,4})?", behind=8, before=3),
    "bank": _form(  # as IBANs hold them: France, Spain, Portugal, Mexico, Australia, Germany
        r"\d{5} ?\d{5} ?[\dA-Z]{11} ?\d{2}|\d{4}[ -]?\d{4}[ -]?\d{2}[ -]?\d{10}|\d{4}[ .]?\d{4}[ .]?\d{11}[ .]?\d{2}"
        r"|\d{18}|\d{3} \d{3} \d{11} \d|\d{3}-\d{3}|\d{3} ?\d{3} ?\d{2}",
        behind=8,
        before=4,
    ),
    "dotted": _form(r"\d{1,2}(?:\.\d{3}){2,3}|\d{8}", behind=6, before=4),
    "rg": _form(r"\d{1,2}\.\d{3}\.\d{3}-?[\dXx]|\d{7,9}-[\dXx]", behind=6, before=4),
    "rfc": _form(r"[A-ZÑ&]{3,4}[ -]?\d{6}[ -]?[A-Z0-9]{3}"),
    "ahv": _form(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", "ch.ssn"),
    "voter": _form(r"\d{4} ?\d{4} ?\d{4}"),
    "cuit": _form(r"\d{2}[- ]?\d{8}[- ]?\d", "ar.cuit"),
    "health": _form(
        r"\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2})?|\d{4} \d{5} \d|\d{15}|\d{3}(?: \d{4}){3}|[A-Z]{4} ?\d{10,12}"
        r"|[1-9][A-Z][A-Z0-9]\d[A-Z][A-Z0-9]\d[A-Z]{2}\d{2}|80\d{18}",
    ),
    "routing": _form(r"\d{9}", "us.rtn", behind=8, before=4),
}
_NO: Final = r"(?:[ -]?(?:no|nr|num|number|nummer|n[uú]mero|numero|n[º°o])\b)"
#: Words as patterns, small letters, and the forms that they tell; with `?` only where the check digits hold.
CUES: Final[tuple[tuple[str, str], ...]] = (
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
        rf"ac(?:count|ct?){_NO}|a/c{_NO}|compte{_NO}|cuenta{_NO}|conto{_NO}|conta{_NO}|konto-?n(?:r|ummer)\b|rekeningn",
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
_GRAMMAR: Final = Grammar(_WORTH, CUES, FORMS)
#: A British sort code with an account number soon behind it, whatever is said.
_PAIR: Final = lazy(rf"{_AT}(?P<s>\d\d-\d\d-\d\d(?P<g>\D{{1,30}})\d{{8}}){_TO}")


def find(text: str) -> Iterator[Span]:
    """Where numbers of persons, papers and accounts are in `text`, each as [start, end)."""
    yield from _GRAMMAR.find(text)
    for match in _PAIR.finditer(text) if text.count("-") > 1 else ():
        yield match.start("s"), match.start("g")
        yield match.end("g"), match.end("s")
