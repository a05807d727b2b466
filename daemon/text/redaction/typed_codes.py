"""Codes told beside what they open: typed at an alarm or a door, the key of a network, the turns of a lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from idiolect.adapters.memory.secret_cues import Cue, cues, folded
from idiolect.daemon.text.redaction.harmless_numbers import counts_something
from idiolect.daemon.text.redaction.rule import DONE, Span, lazy

_NEAR: Final = 110  # characters on either side in which it is said what is opened

#: What is opened, as its words begin; or as they end, in German and Dutch.
_OPENED: Final = lazy(
    r"(?i:(?<![^\W_])(?:alarm|doors?\b|front ?door|gates?\b|garages?\b|garaj|garagem|safes?\b|lock(?:er|box|s)?\b"
    r"|padlock|key ?(?:pad|box|safe)|intercom"
    r"|entrances?\b|barrier|shed\b|building\b|lobby|vault|entry ?phone|buzzer|tür\b|haustür|türen|tor\b|tresor|safe"
    r"|schloss|zahlenschloss|tastenfeld"
    r"|schuppen|spind|eingang|schranke|sprechanlage|einbruch|tiefgarage|keller|porte\b|portail|portillon|grille\b"
    r"|coffre|cadenas|digicode|interphone|immeuble"
    r"|hall\b|barrière|casier|verrou|boîte à clés|puerta|portal\b|portón|verja|caja fuerte|candado|taquilla"
    r"|telefonillo|trastero|edificio|cajetín"
    r"|cancello|portone|porta\b|portão|cassaforte|lucchetto|citofono|armadietto|antifurto|allarme|sbarra|box\b"
    r"|cofre|cadeado|cacifo|prédio|interfone"
    r"|alarme|deur\b|voordeur|achterdeur|poort\b|kluis|slot\b|hangslot|hek\b|slagboom|intercom|sleutelkast|schuur"
    r"|berging|kelder|toegang)"
    r"|(?:tür|tor|schloss|tresor|deur|poort|slot|kluis|anlage)\b)"
)
_VERB: Final = (
    r"(?:punch|key|type|tap|enter|dial|press|put|input|hit)(?: in)?|punching in|keying in|typing(?: in)?|entering"
    r"|dialling|pressing|tapping(?: in)?"
    r"|gib|tippe?|drücke?|wähle?|eingeben|tippst du|gibst du|drückst du|tipp|tape[rz]?|tapes|compose[rz]?|composes"
    r"|saisi[rst]|saisissez|entre[rz]?|appuie sur|fai[st]?|faites|fare|schiaccia(?:re)?|digitate|premete"
    r"|marc(?:a|as|ar|ad|áis)|marque|teclea[rs]?|teclee|pulsa[rs]?|pulse|introduce|introducir|mete[rs]?|pon(?:er|es"
    r"|ga)?|digit[aeio](?:re|r)?|inserisc[io]|inserire|premi|premere"
    r"|compon[ei](?:re)?|batti|digite|digitar|digitas|marcar|marca|aperta[rs]?|aperte|introduz(?:a|ir)?|insere"
    r"|insira|carrega em|prime|premir"
    r"|toets|tik|typ|druk|voer|toetsen|intoetsen|tikt|draai|kies|tik je|toets je"
)
_OF: Final = (
    r"(?:[ ](?:in|the|code|number|digits|den|die|das|code|zahl|nummer|ziffern|le|la|les|sur|chiffres|el"
    r"|los|código|número|numero|il|i|codice|o|os|em|de|het|cijfers|da|dann|ein|first|just|then|simply|einfach"
    r"|erst)){0,3}"
)
_WHERE: Final = (
    r"(?:[ ](?:an|am|in|im|beim|at|on|en|au|à|sur|sul|al|nel|no|na|em|op|bij|aan"
    r"|a)(?:[ ][^\W\d_]{2,16}){1,2}?)?"
)
_NUMBER: Final = rf"{DONE}[*#]?\d{{4,8}}[*#]?|\d(?:[ -]\d){{3,7}}|[*#]\d{{2,8}}[*#]?"
_END: Final = r"(?![\w-]|[.,:/]\d|[ ]\d|[ ]?[€$£%°])"
_TYPED: Final = lazy(
    rf"(?i:(?<![^\W_])(?:{_VERB}){_OF}{_WHERE}[ :]{{1,2}}(?P<s>{_NUMBER}){_END}"
    rf"|(?<![\w.,/:+#*-])(?P<t>{_NUMBER})[ ](?:(?:ein|in|am|an der|op|dort|da|auf)[ ](?:[^\W\d_]{{2,14}}[ ]){{0,3}})?"
    r"(?:ein(?:tippen|geben|tippst|gibst|zugeben)|drücken|wählen|tippen|in(?:toetsen|tikken|voeren|typen)|toetsen"
    r"|tikken)(?![^\W_]))"
)
#: Round figures that are put somewhere are money.
_SUM: Final = lazy(
    r"(?i)(?:put|mete[rs]?|pon(?:er|es|ga)?|introdu\w{1,4}|gib|metti|draai|insere"
    r"|insira)[^\d*#]{1,30}\d{1,6}00\Z"
)
_CALLED: Final = lazy(
    r"(?i)(?<![^\W_])(?:emergency|notruf|urgences?|emergencias?|emergenza|emergência|noodgeval|extension|durchwahl"
    r"|poste|extensión|toestel|ramal)"
)


def typed(text: str) -> Iterator[Span]:
    """Where figures are in `text` that are typed at what is spoken of beside them, each as [start, end)."""
    for match in _TYPED.finditer(text):
        start, end = match.span("s" if match["s"] else "t")
        before, behind = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
        near = before.rpartition("\n\n")[2], behind.partition("\n\n")[0]
        opened = any(map(_OPENED.search, near)) and not any(map(_CALLED.search, near))
        counted = counts_something(text, start, end) or (match["s"] and _SUM.match(match[0]))
        if opened and not counted:
            yield start, end


# --- the key of a network

_IS: Final = r"(?:is|was|ist|war|lautet|est|c['’]est|es|è|é|zijn|heißt)(?![^\W_])"
_NETWORK_KEY: Final = lazy(
    r"(?i:(?<![^\W_])(?:wi-?fi|wlan|w-lan|wireless|hotspot|netzwerk|network|router|réseau|red\b|rede\b|rete\b"
    r"|netwerk|box\b|ssid|fritz!?box)"
    r"[^.!?\n]{0,90}?(?<![^\W_])(?:key|schlüssel|netzwerkschlüssel|clé|clef|clave|llave|chiave|chave|sleutel|code"
    r"|código|codice|kode)"
    rf"(?:[ ](?:for|für|pour|para|per|voor|von|vom|de|del|di|da|do|van|dafür|dazu"
    rf"|[^\W\d_]{{2,12}})){{0,3}}?(?:[ ]{{0,2}}[:=]|,?[ ]{_IS}:?)"
    rf"(?:[ ](?:just|simply|einfach|the|die|der|le|la|el|il|o|de|still|noch|immer|now"
    rf"|jetzt)){{0,2}}[ ]{{1,2}}[\"'“„«]?"
    rf"(?P<s>{DONE}\d(?:[ -]?\d){{5,62}})"
    r"(?=[\"'”“»]?(?:[,;!?)]|\.?[ \t]{0,4}(?:\n|\Z)|\.[ ]|[ ][-–(]|[ ](?:and|und|et|y|e|en|steht|all|tout|todo"
    r"|tutto|tudo|alles)(?![^\W_]))))"
)

_KEY_OF_NETWORK: Final = lazy(
    r"(?i:(?<![^\W_])(?:(?:wi-?fi|wlan|network|netzwerk|wpa|wireless|router)[ -]?(?:key|schlüssel|sleutel)|(?:clé"
    r"|clef|clave|llave|chiave|chave|sleutel|schlüssel|key)"
    r" (?:de sécurité|de seguridad|di sicurezza|de segurança|(?:(?:of|for|to|de|du|del|della|di|da|do|van|vom|für"
    r"|zum|voor)[ ])?(?:(?:the|la|le|het|das|el|il|os?|den)[ ])?"
    r"(?:wi-?fi|wlan|réseau|box|red|rete|rede|router|netwerk|netz"
    r"|network)))(?:[ ][^\W\d_]{1,14}){0,7}?(?:,[^,.\n]{2,30},(?:[ ][^\W\d_]{1,14}){0,2})?[ :=]{1,3}"
    r"(?P<s>\d(?:[ -]?\d){7,62}|(?=[A-Z\d]{0,30}\d)(?=\d{0,30}[A-Z])(?-i:[A-Z0-9]{8,63}))(?![\w-]|[.,:/]\d))"
)
NETWORK_HINTS: Final = (
    "wifi|wi-fi|wlan|w-lan|wireless|hotspot|netzwerk|network|router|réseau|red|rete|wpa|netz|sécurité|seguridad"
    "|sicurezza|segurança|netwerk|box|ssid"
)


def network_keys(text: str) -> Iterator[Span]:
    """Where a network's key is told in `text`, each as [start, end): more figures than the tagger takes for a code."""
    for pattern in (_NETWORK_KEY, _KEY_OF_NETWORK):
        yield from (match.span("s") for match in pattern.finditer(text))


# --- the turns of a safe

_SIDE: Final = (
    r"(?:left|right|clockwise|anti-?clockwise|counter-?clockwise|links|rechts|(?:à )?(?:gauche|droite)"
    r"|(?:a la )?(?:izquierda|derecha)"
    r"|(?:a )?(?:sinistra|destra)|(?:à )?(?:esquerda|direita))"
)
_FILLED: Final = (
    r"(?:[ \t:]{1,2}(?:to|on|at|past|stop|auf|bis|zur|zu|die|sur|jusqu['’]?(?:à|au)|hasta|el|al|a|su"
    r"|fino|até|o|tot|op|naar)){0,2}"
)
_TURN: Final = rf"(?:{_SIDE}{_FILLED}[ \t:]{{1,3}}\d{{1,2}}|\d{{1,2}}[ \t]{{1,2}}{_SIDE})(?![\w])(?!\.\d|,\d)"
_NEXT: Final = (
    r"[ \t]{0,3}[,;.·–/-]?[ \t\n]{1,3}(?:(?:then|and|und|dann|wieder|again|back|turn|puis|ensuite|et"
    r"|luego|después|y|poi|e|depois|dan|en|twice|zweimal)[ \t]{1,2}){0,3}"
)
TURNS: Final = rf"(?i:(?<![^\W_])(?P<s>{_TURN}(?:{_NEXT}{_TURN}){{2,9}}))"
TURNS_HINTS: Final = (
    "left|right|clockwise|links|gauche|droite|izquierda|derecha|sinistra|destra|esquerda|direita"
)

# --- the row of a lock

_FIGURE: Final = (
    r"(?:\d{1,2}|zero|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|vier|fünf|sechs|sieben|acht"
    r"|neun|zéro|un|deux|trois"
    r"|quatre|cinq|sept|huit|neuf|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|due|tre|quattro|cinque|sei"
    r"|sette|otto|nove|um"
    r"|dois|três|quatro|sete|oito|nul|één|een|twee|drie|vijf|zes|zeven|negen)"
)
_THEN: Final = (
    r"(?:then|and then|after that|and finally|finally|lastly|next|dann|und dann|danach|und zum schluss|zum schluss"
    r"|als letztes|zuletzt|und zuletzt|puis|et puis|ensuite|et ensuite"
    r"|enfin|et enfin|en dernier|et en dernier|and last|last|per ultimo|als laatste|en als laatste|après|luego"
    r"|y luego|después|y después|y por último|por último|y al final|poi|e poi|dopo|e infine|infine|depois|e depois"
    r"|a seguir|e por fim|por fim|dan|en dan|daarna|en daarna|tot slot|en tot slot|and|und|et|y|e|en)"
)
_ROW: Final = lazy(
    rf"(?i:(?<![\w.,/:+#-])(?P<s>{_FIGURE}(?:,?[ ]{_THEN}[ ](?:the |die |auf |le |el |il |o |de |la |a |to |op |en "
    rf"|naar )?{_FIGURE}(?!\w)"
    rf"|,[ ]{_FIGURE}(?!\w)(?=,?[ ]{_THEN}[ ]{_FIGURE})){{2,6}})(?!\w|[ ](?:of|von|de|di|van)[ ]|[.,:/]\d"
    rf"|[ ]?[€$£%°h]))"
)
_SERIES: Final = lazy(
    r"(?i:(?<![^\W_])(?:is|goes|at|with|to|on|ist|auf|mit|rad|est|c['’]est|sur|avec|es|con|è|é|com|op|met"
    r"|zahlenschloss|kofferschloss|cadenas|candado|lucchetto"
    r"|cadeado|hangslot|padlock|fiets|vélo|bici|first|erst|zuerst|d['’]abord|primero|prima|primeiro|eerst)"
    r"[ :]{1,3}(?P<s>\d{1,2}(?:(?:, ?| - | |-)(?:(?:and|und|et|y|e|en)[ ])?\d{1,2}| (?:and|und|et|y|e"
    r"|en) \d{1,2}){2,5})"
    r"(?=[,;!?)]|\.?[ \t]{0,4}(?:\n|\Z)|\.[ ]|[ ][-–(]|[ ](?:from|von|de|da|van|to open|und dann|and then)[ ]))"
)
#: More than "and".
_THEN_WORD: Final = lazy(rf"(?i)[ ](?!(?:and|und|et|y|e|en)[ ]){_THEN}[ ]")
_LOCK: Final = lazy(
    r"(?i:(?<![^\W_])(?:(?:pad|bike |combination )?locks?\b|bike chain|padlock|safe\b|combo|combination|schloss"
    r"|tresor"
    r"|zahlenschloss|fahrradschloss|kombination|cadenas|antivol|coffre"
    r"|combinaison|candado|caja fuerte|combinaci[óo]n|maleta|valise|lucchetto|cassaforte|combinazione|valigia"
    r"|cadeado|cofre|combinação|mala\b"
    r"|slot\b|hangslot|fietsslot|kluis|cijferslot|combinatie|suitcase|briefcase|locker|spind|casier|taquilla"
    r"|armadietto|cacifo|koffer|vault)"
    r"|(?:schloss|slot)\b)"
)
LOCK_HINTS: Final = (
    "bike chain|lock|safe|combo|combina|schloss|tresor|kombination|cadenas|antivol|coffre|candado|caja fuerte"
    "|maleta|valise"
    "|lucchetto|cassaforte|valigia|cadeado|cofre|mala|slot|kluis|suitcase|briefcase|spind|casier|taquilla"
    "|armadietto|cacifo"
    "|koffer|vault"
)
_ROW_NEAR: Final = 60


def rows(text: str) -> Iterator[Span]:
    """Where the figures of a lock are told in `text` one after the other, each as [start, end)."""
    for match in (*_ROW.finditer(text), *_SERIES.finditer(text)):
        start, end = match.span("s")
        before = text[max(0, start - _ROW_NEAR) : start]
        numbered = Cue.OTHER_NUMBER in cues(folded("".join(before.split()[-1:])))
        tied = match.start() < start or _THEN_WORD.search(match["s"])
        if tied and not numbered and (_LOCK.search(before) or _LOCK.search(text, end, end + _ROW_NEAR)):
            yield start, end
