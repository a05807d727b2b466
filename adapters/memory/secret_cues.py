"""Words that announce a secret, in seven languages: "password", "PIN", "opens with", "all lower case".

One such word proves nothing. Redaction weighs it together with the form of what stands beside it. A suggestion after
it is held back until it was typed often enough (:meth:`~idiolect.adapters.prediction.user_model.UserModel.must_hide`).
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final

import regex


class Cue(IntEnum):
    """What a word hints at; the number is its place in a vector of cues."""

    PASSWORD = 0
    CODE = 1
    KEY = 2
    PLACE = 3  # what a secret opens: a network, an account, a device, a door, a card
    ENTRY = 4  # what is done with it: type, enter, opens, works
    SPELLING = 5  # how it is written: capitals, lower case, no spaces, a dash
    IDENTITY = 6  # papers and accounts that have a number
    OTHER_NUMBER = 7  # what has a number that is no secret: flights, orders, rooms, versions
    LINK = 8  # "is", "lautet", "=": what comes next is a value


#: Words by cue, a line for each of English, German, French, Spanish, Italian, Portuguese and Dutch where it has its
#: own. They are compared without accents and in lower case.
_WORDS: Final[dict[Cue, str]] = {
    Cue.PASSWORD: """
        password passwords passwd passwrod pass passphrase passphrases pw pwd psw login log-in logon credentials creds
        master secret secrets sign-in signin
        passwort kennwort kennwörter zugangsdaten losung losungswort geheimwort passwortsatz passphrasen
        passe mdp identifiant identifiants
        contraseña contraseñas contra clave claves credenciales
        parola credenziali
        senha senhas palavra-passe credenciais
        wachtwoord wachtwoorden wachtzin ww inloggegevens""",
    Cue.CODE: """
        pin pins pincode puk tan mtan otp totp 2fa mfa cvv cvc code codes passcode combo combination keypad dial dials
        wheels recovery backup verification authenticator sms whatsapp bitlocker
        wiederherstellungswörter wiederherstellungsphrase wiederherstellungsschlüssel
        geheimzahl geheimnummer zahlencode zahlenkombination kombination einmalcode bestätigungscode pinnummer
        digicode combinaison cadenas
        nip código códigos combinación candado
        codice codici combinazione lucchetto
        combinação cadeado
        cijfercode toegangscode combinatie herstelwoorden herstelzin""",
    Cue.KEY: """
        key keys token tokens api apikey api_key api-key secret_key bearer authorization auth webhook hook ssh gpg pgp
        license licence appid
        schlüssel
        clé clef jeton
        llave
        chiave chiavi
        chave
        sleutel wifisleutel""",
    Cue.PLACE: """
        wifi wi-fi wlan router modem fritzbox netflix spotify disney hulu dazn hbo prime videoland amazon paypal ebay
        laptop computer pc mac ipad iphone tablet phone cell account accounts vpn nas server admin root user username
        email e-mail gmail hotmail outlook icloud apple google facebook instagram bank safe vault bitwarden keepass
        keepassxc 1password lastpass zip archive pdf encrypted drive disk stick usb share alarm door gate garage shed
        keybox key-safe lockbox locker padlock lock bike building entrance portal sim card cashpoint atm wallet bitcoin
        bitcoins ledger trezor crypto coins seed mnemonic
        website portal mailbox inbox spreadsheet printer scanner camera tv till kiosk xbox playstation discord twitch
        minecraft profile hotspot intranet luks veracrypt truecrypt restic signal
        drucker beamer kasse postfach homepage webseite festplatte datenträger kamera fernseher profil nutzer benutzer
        konto rechner handy tresor archiv verschlüsselt verschlüsselte tür eingang schuppen spind schloss karte
        girokarte ec-karte bankkarte geldautomat alarmanlage elster krypto
        compte ordi ordinateur serveur coffre coffre-fort chiffré chiffrée disque alarme porte portail grille casier
        carte cb distributeur portefeuille imprimante caisse messagerie tablette télé appli caméra session
        impresora correo tableta tele cámara perfil usuario sesión pendrive
        cuenta ordenador portátil móvil caja cifrado cifrada disco puerta taquilla tarjeta cajero cartera hacienda
        portatile telefono cellulare cassaforte cifrato cifrata archivio porta portone armadietto carta bancomat
        portafoglio spid stampante cassa posta sito profilo utente chiavetta
        conta computador telemóvel cofre arquivo portão cacifo cartão multibanco carteira finanças
        impressora correio usuário utilizador pen notebook
        kluis versleuteld versleutelde schijf deur pasje pinpas bankpas digid telefoon
        kassa postvak profiel gebruiker usb-stick""",
    Cue.ENTRY: """
        type typed typing enter entered enters entering use uses used using try tried press punch dial input put works
        worked working open opens opened unlock unlocks unlocked gets lets log logs logged sign signed reset changed
        change set in into with as
        gib gibst geben eingeben eingegeben tippen tippe tippst tipp nimm nehmen versuch versuche probier probiere
        öffnet geht ging kommt kommst aufmachen mit als
        tape tapes tapez taper entre entrez entrer essaie essaye essayer utilise utiliser marche marchait ouvre ouvrir
        compose composer saisir saisis avec
        teclea teclear pon poner pones usa usar usas usen prueba probar abre abrir abrió entra entrar entras marca
        marcar mete meter con
        digita digitare inserisci inserire prova provare apre aprire aprono funziona funzionava
        digite digitar digitas tenta tentar carrega carreguem abro com
        intikken intik tik tikt toets toetsen intoetsen gebruik gebruiken probeer werkt werkte openen invoeren met""",
    Cue.SPELLING: """
        capital capitals caps uppercase lowercase lower upper letter letters space spaces dash underscore hyphen zero
        exclamation backwards star hash hashtag pound birthday anniversary phrase sentence
        gross klein grossgeschrieben kleingeschrieben kleinbuchstaben zusammen zusammengeschrieben leerzeichen raute
        sternchen geburtstag satz merksatz
        majuscule majuscules minuscule minuscules attaché espace espaces envers étoile dièse anniversaire
        mayúscula mayúsculas minúscula minúsculas espacio espacios tilde asterisco cumple cumpleaños frase
        maiuscola maiuscolo minuscola minuscolo attaccato spazi contrario cancelletto compleanno
        maiúscula maiúsculas minúscula minúsculas espaços aniversário
        hoofdletter hoofdletters kleine elkaar spaties hekje sterretje verjaardag zin""",
    Cue.IDENTITY: """
        ssn social security nhs nino insurance passport sort acc account mrn record iban identity w-4 w-9 licence
        license
        reisepass passnummer steuer steuer-id steuernummer idnr versichertennummer kvnr krankenkasse führerschein
        ausweis konto
        sécu sécurité passeport permis identité patente
        dni nie nif nuss pasaporte carnet identidad
        cf fiscale tessera passaporto patente identità
        contribuinte cpf rg niss passaporte identidade
        bsn burgerservicenummer paspoort rijbewijs""",
    Cue.OTHER_NUMBER: """
        flight train order invoice ticket ref reference room bus platform seat tel call ring fax version release model
        part serial sku isbn doi issn commit issue bug pr rev build postcode zipcode kg km cm mm ml mb gb eur euro euros
        pounds usd percent no num page chapter coupon promo voucher discount plate size street error status exit http
        port
        flug zug ice bestellung rechnung referenz zimmer linie gleis platz anruf modell nr plz postleitzahl prozent
        seite kapitel gutschein rabatt kennzeichen größe strasse
        vol tgv commande facture référence salle voie modèle numéro taille rue appelle
        vuelo tren pedido pedidos factura referencia sala andén modelo número página talla calle llama llamar placa
        volo treno ordine fattura riferimento aula binario modello pagina taglia via targa chiama
        voo trem encomenda fatura tamanho rua liga
        vlucht trein bestelling ordernummer factuur zaal kamer spoor nummer maat straat kenteken bel bellen""",
    Cue.LINK: """
        is are was were its it's = : - – -> => →
        ist war sind lautet heisst
        est c'est était
        es era son
        è sono
        é são foi
        zijn""",
}
#: How compounds end: "WLAN-Passwort", "toegangscode", "API_TOKEN".
_ENDINGS: Final = {
    Cue.PASSWORD: regex.compile(r"(?:passwor[dt]|passwd|kennwort|wachtwoord|passwörter)s?\Z"),
    Cue.CODE: regex.compile(r"code\Z"),
    Cue.KEY: regex.compile(r"_(?:key|token|secret|pass)\Z"),
}
_SECRET: Final = (Cue.PASSWORD, Cue.CODE, Cue.KEY)
_TOLD: Final = 8  # words behind a cue that may be the secret's
_WORD: Final = regex.compile(r"[\p{L}\p{N}_'’-]+")
# Looked for where a word begins alone: from each of its letters it would take quadratic time.
_UNFINISHED: Final = regex.compile(r"(?<![\p{L}\p{N}_'’-])[\p{L}\p{N}_'’-]*+\Z")
_TABLE_SIZE: Final = 50_000


@lru_cache(_TABLE_SIZE)
def folded(word: str) -> str:
    """Return ``word`` in lower case and without accents, so that "Contraseña" and "contrasena" are one word."""
    word = word.casefold().replace("’", "'")
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


def forget_words() -> None:
    """Forget the words that were looked up."""
    folded.cache_clear()
    cues.cache_clear()


def _table() -> dict[str, frozenset[Cue]]:
    table: dict[str, set[Cue]] = {}
    for cue, words in _WORDS.items():
        for word in words.split():
            table.setdefault(folded(word), set()).add(cue)
    return {word: frozenset(cues) for word, cues in table.items()}


_TABLE: Final = _table()
_NONE: Final = frozenset[Cue]()
_IS: Final = frozenset((Cue.LINK,))


@lru_cache(_TABLE_SIZE)
def cues(word: str) -> frozenset[Cue]:
    """Return what a word hints at; ``word`` is :func:`folded`."""
    word = word.strip("'-") or word
    if word.endswith("'s"):  # "the password's hunter22"
        return cues(word[:-2]) | _IS | _TABLE.get(word, _NONE)
    found = _TABLE.get(word, _NONE)
    ended = {cue for cue, ending in _ENDINGS.items() if cue not in found and ending.search(word)}
    return found | ended if ended else found


def announces_secret(text: str) -> bool:
    """Return True if one of the last eight words of ``text`` hints at a password, a code or a key."""
    return CuesBefore(text).announce("")


class CuesBefore:
    """Which of the words before a cursor hint at a secret: found once for all that may be offered there."""

    def __init__(self, text: str) -> None:
        finished = _UNFINISHED.sub("", text, count=1)
        self._unfinished = text[len(finished) :]  # what is offered may finish this word
        words = _WORD.findall(finished)[-_TOLD:]
        self._words_since_cue = next(
            (place for place, word in enumerate(reversed(words)) if _hints_at_secret(word)), _TOLD
        )

    def announce(self, offered: str) -> bool:
        """Return what :func:`announces_secret` returns for the text with ``offered`` behind it."""
        words = _WORD.findall(self._unfinished + offered)
        return self._words_since_cue + len(words) < _TOLD or any(map(_hints_at_secret, words[-_TOLD:]))


def _hints_at_secret(word: str) -> bool:
    return not cues(folded(word)).isdisjoint(_SECRET)
