"""What mail programs write around a mail, language by language: a table of patterns, for any letter case.

A row is what one language has; to add a language, add a row. Each pattern is a part of one that `replies.py`,
`mail_message.py` and `answered_text.py` make of all languages, so that nobody need say which language a mail is in.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class MailPhrases(NamedTuple):
    """Of one language, each part as alternatives of a pattern; "" where nothing is known.

    `begins`: the first word of the line that says who wrote what is quoted; `wrote`: its verb. `sender`: a header's
    "From", and `fields`: its other fields. `originals`: what stands between dashes above a mail that is answered or
    forwarded, and `forwarded`: the line that says so without dashes. `sent_from`: the line that telephones and webmail
    add. `footer`: how the lines begin that lists, virus checkers and lawyers add. `generated`: how the subject of an
    answer begins that nobody typed.
    """

    begins: str
    wrote: str
    sender: str
    fields: str
    originals: str
    forwarded: str = ""
    sent_from: str = ""
    footer: str = ""
    generated: str = ""


ENGLISH: Final = MailPhrases(
    begins=r"on|(?:mon|tue|wed|thu|fri|sat|sun)\w{0,6}",
    wrote="wrote|writes",
    sender="from",
    fields="sent|to|subject|date|cc|bcc|reply-to|attachments|importance",
    originals="original message|original appointment|forwarded message|forwarded by|begin forwarded",
    forwarded="begin forwarded message",
    sent_from=r"sent (?:from|via|with|using) (?:my )?[^\n.]{2,40}|get outlook for \w+|sent from (?:yahoo )?mail[^\n]{0,30}",
    footer=r"you received this message because you are subscribed|to unsubscribe\b|unsubscribe:"
    r"|this (?:e-?mail|message)[^\n]{0,80}(?:confidential|privileged|intended)|confidentiality|disclaimer"
    r"|the information (?:contained )?in this (?:e-?mail|message)|(?:virus-free|scanned by)\b",
    generated=r"accepted|declined|tentative|cancell?ed|invitation|updated invitation|automatic reply"
    r"|auto(?:matic)?[- ]?response|out of office",
)
GERMAN: Final = MailPhrases(
    begins="am",
    wrote="schrieb|geschrieben",
    sender="von",
    fields="gesendet(?: am)?|an|betreff|datum|kopie|antwort an|anlagen|wichtigkeit|priorität",
    originals=r"ursprüngliche nachricht|original-?nachricht|weitergeleitete (?:nachricht|e?-?mail)",
    forwarded=r"anfang der weitergeleiteten (?:e-mail|nachricht)",
    sent_from=r"(?:diese nachricht wurde )?von (?:mein|unterwegs)[^\n]{0,50} gesendet|gesendet (?:von|mit|aus|über) [^\n]{2,60}"
    r"|(?:holen sie sich outlook|hol dir outlook) für \w+|outlook für \w+ (?:beziehen|herunterladen)",
    footer=r"sie (?:erhalten|haben) diese nachricht[^\n]{0,80}(?:gruppe|groups|mailingliste)|diese e-?mail (?:enthält|und)"
    r"|virenfrei\b",
    generated=r"zugesagt|angenommen|abgesagt|abgelehnt|mit vorbehalt|einladung|aktualisierte einladung"
    r"|automatische antwort|abwesenheitsnotiz",
)
FRENCH: Final = MailPhrases(
    begins="le",
    wrote="a écrit",
    sender="de",
    fields=r"envoyé(?: le)?|à|objet|copie à|répondre à|pièces jointes|importance",
    originals=r"message d['’]origine|message (?:original|initial|transféré|réexpédié)",
    forwarded=r"début du message (?:transféré|réexpédié)",
    sent_from=r"envoyé (?:de(?:puis)?|à partir|avec|par|via) [^\n]{2,40}"
    r"|(?:obtenir|obtenez|télécharger|téléchargez) outlook pour \w+",
    footer=r"vous (?:recevez|avez reçu) ce message[^\n]{0,80}(?:groupe|liste|abonné)|ce (?:message|courriel)[^\n]{0,60}confidentiel"
    r"|sans virus\b",
    generated=r"accepté|refusé|annulé|invitation|réponse automatique|absence du bureau",
)
SPANISH: Final = MailPhrases(
    begins="el",
    wrote="escribió|ha escrito",
    sender="de",
    fields=r"enviado(?: el)?|para|asunto|fecha|responder a|adjuntos|importancia",
    originals="mensaje (?:original|reenviado)",
    forwarded="inicio del mensaje reenviado",
    sent_from=r"enviado (?:desde|con|de) [^\n]{2,40}|(?:obtener|obtén|descargar) outlook para \w+",
    footer=r"has recibido este mensaje[^\n]{0,80}(?:grupo|lista|suscrito)|este (?:mensaje|correo)[^\n]{0,60}confidencial"
    r"|libre de virus\b",
    generated=r"aceptad[oa]|rechazad[oa]|cancelad[oa]|invitación|respuesta automática|fuera de (?:la )?oficina",
)
ITALIAN: Final = MailPhrases(
    begins="il|in data",
    wrote="ha scritto",
    sender="da",
    fields=r"inviato(?: il)?|a|oggetto|data|rispondi a|allegati|priorità",
    originals="messaggio (?:originale|inoltrato)",
    forwarded=r"inizio (?:del )?messaggio inoltrato",
    sent_from=r"inviat[oa] (?:da[l ]?|con )[^\n]{2,40}|(?:ottieni|scarica) outlook per \w+",
    footer=r"hai ricevuto questo messaggio[^\n]{0,80}(?:gruppo|lista|iscritto)"
    r"|(?:questo messaggio|questa e-?mail|le informazioni contenute in quest[oa])[^\n]{0,80}riservat|privo di virus\b",
    generated=r"accettato|rifiutato|annullato|invito|risposta automatica|fuori (?:sede|ufficio)",
)
PORTUGUESE: Final = MailPhrases(
    begins="em|no dia|às",
    wrote="escreveu",
    sender="de",
    fields=r"enviad[oa](?: em)?|para|assunto|data|responder a|anexos|importância",
    originals=r"mensagem (?:original|encaminhada|reencaminhada|reenviada)",
    forwarded=r"início da mensagem (?:encaminhada|reencaminhada|reenviada)",
    sent_from=r"enviad[oa] (?:d[eo]|a partir d[eo]|pelo|com) [^\n]{2,40}"
    r"|(?:obter|obtenha|baixar|transferir)(?: o)? outlook para \w+",
    footer=r"(?:você )?recebeu es[st]a mensagem[^\n]{0,80}(?:grupo|lista|inscrito)|esta mensagem[^\n]{0,80}confidencia"
    r"|(?:livre de|sem) vírus\b",
    generated=r"aceite|aceito|recusad[oa]|cancelad[oa]|convite|resposta automática|ausência temporária",
)
DUTCH: Final = MailPhrases(
    begins="op",
    wrote="schreef(?: het volgende)?|geschreven",
    sender="van",
    fields=r"verzonden(?: op)?|aan|onderwerp|datum|kopie|antwoord aan|bijlagen?|prioriteit",
    originals="(?:oorspronkelijk|origineel|doorgestuurd) bericht",
    forwarded="begin (?:van )?(?:het )?doorgestuurd(?:e)? bericht",
    sent_from=r"(?:verzonden|verstuurd) (?:vanaf|met|vanuit|via) [^\n]{2,40}"
    r"|outlook voor \w+ (?:downloaden|ophalen)|(?:download|ontvang) outlook voor \w+",
    footer=r"(?:je|u) (?:hebt|heeft|ontvangt) dit bericht[^\n]{0,80}(?:groep|lijst|geabonneerd)"
    r"|(?:dit (?:e-mail)?bericht|deze e-?mail|de informatie in (?:dit|deze))[^\n]{0,80}vertrouwelijk|virusvrij\b",
    generated=r"geaccepteerd|geweigerd|geannuleerd|uitnodiging|automatisch antwoord|afwezigheidsbericht",
)
#: Scandinavian, Slavic and other languages, of which less is known.
OTHERS: Final = MailPhrases(
    begins="den|dne|w dniu|dnia|pe|tarihinde|på",
    wrote=r"skrev|napsal(?:\(a\))?|napisał(?:\(a\))?|kirjoitti|a scris|yazdı|写道|писал(?:\(а\)|а)?|пишет|ha escrit|írta",
    sender="från|fra|od|от|发件人",
    fields="skickat|till|ämne|sendt|til|emne|wysłano|do|temat|odesláno|komu|předmět|кому|тема|дата|发送时间|收件人|主题",
    originals="ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna"
    "|původní zpráva|исходное сообщение|пересылаемое сообщение|原始邮件|転送メッセージ|元のメッセージ",
    sent_from=r"skickat från [^\n]{2,40}|sendt fra [^\n]{2,40}|lähetetty [^\n]{2,40}|wysłane z [^\n]{2,40}"
    r"|отправлено (?:с|из) [^\n]{2,40}|从我的[^\n]{1,20}发送|iphoneから送信",
)
LANGUAGES: Final = (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH, OTHERS)


def any_of(part: str) -> str:
    """The alternatives that all languages have for a part, such as "wrote"."""
    return "|".join(filter(None, (getattr(language, part) for language in LANGUAGES)))
