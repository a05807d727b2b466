"""Answers to security questions, told by what the question asks for: a maiden name, a first pet, a street."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from idiolect.daemon.text.redaction.labels import frequency
from idiolect.daemon.text.redaction.rule import DONE, Span, lazy
from idiolect.daemon.text.redaction.word_features import STATE

_AHEAD: Final = 170  # characters behind a question that its answer may stand in
_ASKED_BEFORE: Final = 60  # characters before what is asked for that may say that somebody asks
_ASKED_BEHIND: Final = 20  # ... and behind it, as German and Dutch have their verbs
_RARE: Final = 3.5  # on Zipf's scale, a rarer word is no word of such a sentence, ...
_TYPED: Final = 4.1  # ... the same of a word that was typed as an answer, ...
_NOUN: Final = 4.6  # ... of a German noun, ...
_NAME: Final = 5.6  # ... and of a name

QUESTION: Final = (
    r"(?:security|secret|recovery|challenge) (?:question|answer)|sicherheits(?:ab)?frage|geheimfrage"
    r"|(?:question|réponse) (?:de sécurité|secrète)|(?:pregunta|respuesta) (?:de seguridad|secreta)"
    r"|(?:domanda|risposta) (?:di sicurezza|segreta)|(?:pergunta|resposta) (?:de segurança|secreta)"
    r"|(?:beveiligings|controle|veiligheids)vraa?g|geheime vraag"
)
_MAIDEN: Final = (
    r"maiden name|mädchenname|geburtsname|nom de (?:jeune fille|naissance)|apellido de (?:soltera|(?:mi|tu|su"
    r"|la) m[^\W\d_]{2,4})|de soltera|vor der (?:hochzeit|heirat|ehe)"
    r"|cognome (?:da (?:nubile|ragazza|signorina)|d(?:i|ella) (?:mia |tua |sua )?m[^\W\d_]{3,4}(?: da ragazza)?)"
    r"|(?:nome|apelido|sobrenome) de solteira"
    r"|(?:apelido|sobrenome) da (?:minha |tua |sua )?m[ãa]e|meisjesna(?:am|men)"
)
_FIRST: Final = (
    r"(?:very |aller)?(?:first|erste[nrsm]?|eerste)|favou?rite|childhood|lieblings?|premi(?:er|ère)|primer[oa]?"
    r"|prim[oa]"
    r"|primeir[oa]|favorit[oa]|favoriete|lievelings?|preferit[oa]|préférée?|preferid[oa]|favorie?te?|d['’]enfance"
    r"|(?:de|da) (?:la )?(?:infancia|infância)|d['’]infanzia|kindheits|jeugd|primary|elementary|grund|volks|basis"
    r"|primaire"
    r"|primaria|elementare|elementari|primária|infantil|maternelle"
)
_THING: Final = (
    r"pet|dog|cat|hamster|horse|pony|school|teacher|car|street|road|hero|friend|nickname|job|boss|crush|band|film"
    r"|movie"
    r"|book|haustier|hund|katze|kater|hamster|schule|schullehrer(?:in)?|lehrer(?:in)?|auto|straße|strasse|held"
    r"|freund(?:in)?"
    r"|spitzname|chef(?:in)?|buch|animal|chien|chienne|chat|chatte|école|maître|maîtresse|instit(?:utrice|uteur)?"
    r"|prof|voiture"
    r"|rue|ami|amie|héros|surnom|patron|mascota|perr[oa]|gat[oa]|escuela|colegio|maestr[oa]|profesora?|profe|coche"
    r"|calle"
    r"|amig[oa]|apodo|jefe|animale|cane|gatt[oa]|scuola|insegnante|profess(?:eur|ore|oressa)|enseignante?|prof|auto"
    r"|macchina|via|amic[oa]"
    r"|soprannome|capo|bicho|cão|cachorr[oa]|cadela|escola|professora?|carro|rua|alcunha|apelido|huisdier|hond|kat"
    r"|poes"
    r"|school|juf|meester|leraar|lerares|schooljuf|straat|vriend(?:in)?|bijnaam|baas|boek|toy|tier|teddy"
    r"|kuscheltier|stofftier|doudou|peluche|stuffed animal|knuffel|concert|konzert|concierto|concerto|travail"
    r"|trabajo|lavoro|trabalho|baan|arbeit|essen|food|colou?r|farbe|couleur|color|song|team|club|verein|équipe"
)
_TOPIC: Final = (
    rf"(?:{_FIRST})[ -]?(?:[^\W\d_]{{1,12}}[ ]){{0,2}}(?:{_THING})"
    rf"|(?:{_THING})(?:[ ][^\W\d_]{{1,12}}){{0,2}}[ ](?:{_FIRST})"
    r"|parents met|eltern (?:sich )?kennengelernt|parents se sont (?:rencontrés|connus)|padres se conocieron"
    r"|genitori si sono conosciuti"
    r"|pais se conheceram|ouders elkaar"
    r"|(?:name|middle name|vorname|prénom|nom|nombre|nome|naam|voornaam)n?(?: of| von| de| di| da| do| del"
    r"| van)?(?: my| your| meiner| deiner| ma| ta| mi| tu| mia| tua"
    r"| minha| tua| mijn| je)? (?:grand(?:mother|father|ma|pa)|oma|opa|großmutter|großvater|grand-(?:mère|père)"
    r"|abuel[oa]|nonn[oa]|avó|avô|mascota)"
    r"|chiamava (?:mia|tua|il mio|il tuo) (?:nonn[oa]|cane|gatto)|lo de (?:la|mi) mascota|grew up|aufgewachsen"
    r"|aufwuchs|(?:j['’]ai|tu as|avez|as-tu|avez-vous) grandi|crec(?:iste|í|ió)|cresciut[oa]"
    r"|cresc(?:eu|este|i)|opgegroeid|opgroeide|place of birth|birthplace|(?:was|were|are) (?:you |i )?born"
    r"|geburts(?:ort|stadt)"
    r"|(?:lieu|ville) de naissance|(?:lugar|ciudad) de nacimiento|(?:luogo|città) di nascita|(?:local|cidade"
    r"|terra) de nascimento"
    r"|geboorte(?:plaats|stad)|pet['’]?s name|name of (?:my|your|the|a) (?:first |old )?(?:pet|dog|cat|school"
    r"|teacher|street)"
    r"|name (?:meines|deines|des) (?:haustiers|hundes)|nom (?:de mon|de ton|du) (?:animal|chien|chat)"
    r"|nombre de (?:mi|tu|la) (?:mascota|perro|gato)|nome del (?:mio |tuo )?(?:cane|gatto)|nome d[oa] (?:meu "
    r"|minha )?(?:cão|gato)"
    r"|naam van (?:mijn|je|het|de) (?:huisdier|hond|kat)"
)
_QUESTIONS: Final = lazy(
    rf"(?i:(?<![^\W_])(?:(?P<q>{QUESTION})|(?P<m>{_MAIDEN})|(?P<t>{_TOPIC}))[^\W\d_]{{0,3}}(?![^\W_]))"
)
_ASKING: Final = lazy(
    r"(?i:(?<![^\W_])(?:ask(?:s|ed|ing)?|wants?|wanted|questions?|frag(?:en|t|te|ten)|fragten|frage|abfrage|wissen"
    r"|woll(?:en|ten?)"
    r"|demand(?:e|ent|ait|aient|é|er)|veulent|voulaient|pedir|preguntar|demander|chiedere|perguntar|pregunt(?:a|an"
    r"|aron|aban|ó|as)|pid(?:e|en|ió|ieron)|quier(?:e|en)"
    r"|quer[íi]an|chied(?:e|ono|eva|evano)|chiest[oa]|vogliono|volevano|domand[ae]|pergunt(?:a|am|ou|aram|as)"
    r"|ped(?:e|em|iu|iram)"
    r"|querem|queriam|vra(?:gen|ag|agt)|vroeg(?:en)?|willen|wilden?|answer|antwort|réponse|respuesta|risposta"
    r"|resposta"
    r"|antwoord)(?![^\W_]))"
)

_CAPITAL: Final = r"[A-ZÀ-Þ][^\W_][\w'’-]{0,30}"
_TITLE: Final = r"(?:(?:Mrs|Mr|Ms|Mme|Mlle|Dr|Sra|Sr|Srta|Sig|Prof|St|Mevr|Dhr)\.?[ ])?"
_SMALL: Final = (
    r"(?:(?:del?|d[aeo]s?|dei|degli|della|delle|di|von|van|der|den|the|of|la|le|les|el|los|las|du|des|y"
    r"|e|ter|ten|zur|zum)[ ])"
)
_VALUE: Final = (
    rf"(?<![^\W_])[\"'“„«‹‘‚]{{0,2}}(?P<s>{DONE}{_TITLE}(?:{_CAPITAL}(?:[ ]{_SMALL}{{0,2}}{_CAPITAL}){{0,3}}"
    r"|[^\W\d_](?:[^\W_]|-(?=[^\W_])){2,30}))[\"'”“»›’]{0,2}"
)
_CLAUSE_ENDS: Final = (
    r"(?=[ \t]{0,4}(?:[,.;:!?)\n]|\Z)|[ ][-–—(/]|[ ](?i:and|but|as|for|by the way|btw|in case|if|so|because|which"
    r"|und|aber|falls|weil|als"
    r"|übrigens|für|et|mais|comme|pour|au cas|si|parce|y|pero|como|por|para|e|ma|come|per|se|mas|caso|en|maar|voor"
    r"|want|dus|there"
    r"|tu|you|je|ich|du|ik|again|back then|at the time|on|at|like|last|online|sur|chez|en el|sul|nel|nella|no|na|lá"
    r"|em|op|bij|bei|auf|à"
    r"|au|je crois|glaub|i think|creo|credo|acho|denk|damals|da|dort|in|ein|an|rein|hin|là|ici|ahí|ali|lì|entonces"
    r"|allora|então)(?![^\W_]))"
)
#: What may stand between a verb and an answer.
_FILL: Final = (
    r"(?:,?[ ](?i:just|simply|always|still|once|back then|only|in|down|it|as|with|them|that|i think|einfach|immer"
    r"|damals|noch|nur|mal|mit"
    r"|wohl|glaub(?:e)? ich|als antwort|simplement|toujours|juste|avec|que|c['’]est|siempre|simplemente|solo|con"
    r"|que|era|es"
    r"|sempre|solo|semplicemente|che|só|simplesmente|com|gewoon|altijd|toen|nog|dat|met|it was|it is|the name"
    r"|le nom|el nombre"
    r"|il nome|o nome|comme réponse|como respuesta|come risposta|como resposta|als antwoord|by the way|übrigens"
    r"|namelijk|het|das|dat|ça|also|so"
    r"|nämlich|d['’]ailleurs|por cierto|tra l['’]altro|aliás|trouwens|y|the answer|um)(?![^\W_]))"
)
#: What is done with an answer; the sure ones speak of nothing else beside a first pet.
_DOES: Final = (
    r"(?:i|we|you|she|he|i['’]ve|i['’]d|always|then|just|and|so|there|have|had|please|to)[ ](?:always |just "
    r"|simply |only |once )?(?:put|enter(?:ed)?"
    r"|typed?|filled in|answer(?:ed)?|went with"
    r"|set|used?|chose|picked|gave|wrote|say|said|told)"
    r"|(?:gib|tippe?|schreib|nimm|antworte|sag|schrieb ich|nahm ich|sagte ich|sag(?:e)? ich|nehme? ich"
    r"|schreibe? ich)(?: da| dort| bitte)?"
    r"|(?:j['’]ai|on a|nous avons|tu as|t['’]as|il a|elle a|j['’]avais|avait|ai|faut|toujours)[ ](?:toujours "
    r"|juste |simplement |bien )?"
    r"(?:mis|répondu|écrit|entré|tapé|saisi|donné|choisi|noté|marqué|indiqué|rentré|mettre|répondre|taper|dit)"
    r"|(?:je mets|mets|réponds|tape|écris|saisis)"
    r"|(?:told|tell) (?:them|him|her)|les? (?:di|dije)|puse|pusimos|puso|(?:he|había|hemos|ha) (?:puesto|escrito"
    r"|metido|contestado|respondido|elegido)|contesté|respondí|escribí|metí"
    r"|elegí|tecleé|pon|contesta|responde|escribe|hay que poner|dije"
    r"|(?:ho|abbiamo|ha|avevo|aveva)[ ](?:sempre |solo )?(?:messo|scritto|risposto|inserito|digitato|usato|scelto"
    r"|dato|detto|indicato)|misi|metti"
    r"|scrivi|rispondi|inserisci|pus|coloquei|respondi|escrevi|meti|digitei|escolhi|botei|pusemos|colocámos"
    r"|colocamos|(?:tinha|tenho) posto"
    r"|põe|coloca|escreve|responde|bota|usei|vulde? (?:ik|je)|(?:ik|je) (?:vul|vulde|koos|antwoordde|typte|zei"
    r"|schreef)"
    r"|vul|typ|antwoord"
)
_DONE_AT_LAST: Final = (
    r"(?:(?:als|in|bei|für|voor|bij)[ ][^\W\d_]{2,16}[ ])?(?:ein|an|hin|hinein|rein)?ge(?:geben|tippt|tragen"
    r"|schrieben|nommen|wählt|antwortet|setzt|sagt|nannt)"
    r"|beantwortet|hinterlegt|angegeben|verwendet|benutzt|(?:in|op|neer)?ge(?:vuld|voerd|geven|zet|antwoord|tikt"
    r"|typt|kozen|bruikt|schreven|zegd)"
    r"|beantwoord|eingeben|angeben|eintippen|invullen|invoeren"
)
_IS: Final = (
    r"(?:(?i:would be|steht|staat|tengo|tenho|is|was|it['’]?s|['’]s|being|i\.e\.|ist|war|lautet|heißt|hieß|wäre"
    r"|nämlich|answer|antwort|réponse"
    r"|respuesta|risposta|resposta|antwoord|also|o sea|cioè|ou seja|dus|namely|est|c['’]est|était|c['’]était|es|era"
    r"|sería|è|é|foi"
    r"|seria|sarebbe|heet|namelijk|sprich)(?![^\W_])|:|=|\?|\(|[-–—])"
)
_GERMAN: Final = lazy(r"(?i)(?<![^\W_])(?:ist|war|lautet|heißt|hieß|wäre)(?![^\W_])")
_TIED: Final = lazy(
    rf"(?<!\S)(?i:to|with|as|mit|auf|sur|avec|par|con|com|met|op)[ ]{_VALUE}(?=[ ](?i:{_DONE_AT_LAST})"
    rf"|[ \t]{{0,4}}(?:[,.;!?)\n]|\Z))"
)
_ANSWER: Final = lazy(r"(?i:(?<![^\W_])(?:answer|antwort|réponse|respuesta|risposta|resposta|antwoord))")
_PUT: Final = lazy(rf"(?i:(?<![^\W_])(?:{_DOES})){_FILL}{{0,3}}[: ]{{1,3}}{_VALUE}{_CLAUSE_ENDS}")
#: What is done with answers alone, and the end of what is said: the one or the other must be where nobody asks.
_ENTERS: Final = lazy(
    r"(?i)answer|enter|typ|fill|eingeb|einge|hinge|reinge|neerge|angegeben|hinterlegt|antwort|répon|répondu|not[ée]"
    r"|inscri|went with"
    r"|saisi|tap[eé]|contest|respond|tecle|rispo|rispond|digit|inser"
    r"|escrev|respost|coloq|ingev|inget|ingev|opgeg|antwoord|beantw|invul|vul"
)
_ENDS: Final = lazy(
    r"[ \t]{0,4}(?:[,.;:!?)\n]|\Z)|[ ][-–—(]|[ ](?i:and|und|et|y|e|en|but|aber|mais|pero|ma|mas"
    r"|maar)(?![^\W_])"
)
_PUT_AT_LAST: Final = lazy(rf"(?<![^\W_]){_VALUE}[ ](?i:{_DONE_AT_LAST})(?![^\W_])")
_PLACED: Final = lazy(
    rf"(?:(?<!\S)|(?<=\w)(?=['’]s)"
    rf"|(?<=\w)(?=[:?])){_IS}{_FILL}{{0,3}}[ ]{{0,2}}{_VALUE}{_CLAUSE_ENDS}"
)
_RIGHT_BEHIND: Final = lazy(
    rf"(?i:[ ](?:of my mother|my mother|meiner mutter|de ma mère|de mi madre|di mia madre|da minha mãe"
    rf"|van mijn moeder)|(?:[ ][^\W\d_]{1, 10}){1, 3},)?"
    rf"[ :?(,]{{1,3}}(?P<s>{DONE}{_CAPITAL}(?:[ ]{_CAPITAL})?)(?![^\W_]|['’])"
)
#: Before a question: "I put Snowball as my first pet"; and before the words for such a question alone.
_PUT_AS: Final = lazy(
    rf"(?i:(?<![^\W_])(?:{_DOES}|hab(?:e|en)?(?: ich| wir)?|heb(?: ik)?)){_FILL}{{0,2}}[ ]{_VALUE}[ ]"
    r"(?i:as|als|comme|como|come|(?P<in>for|für|in|en|pour|para|per|em|na|nella|voor|bei|bij|sur|à|to|on|auf"
    r"|op))[ ](?:[^\W\d_]['’\w]{0,12}[ ]){0,4}\Z"
)
_CLAUSE: Final = lazy(_CLAUSE_ENDS)
_SAYS: Final = lazy(
    r"(?i)(?:say|said|told|tell|dit|dije|di|dis|detto|disse|sag|sagte|zei|gave|give)(?: them| him"
    r"| her| ich)?[ ]"
)
_TITLES_WORDS: Final = """
    mrs mr ms mme mlle dr sra sr srta sig prof st mevr dhr monsieur madame frau herr don dona doña señora
    señor
"""
_TITLES: Final = frozenset(_TITLES_WORDS.split())
_BEFORE: Final = lazy(
    rf"(?<![^\W_])(?P<s>{DONE}{_CAPITAL}(?:[ ]{_CAPITAL})?)[ ](?i:is|was|ist|war|est|était|es|era|è|é|als|as|for"
    rf"|für|comme|pour|como|para"
    r"|come|per|voor)[ ](?:[^\W\d_]['’\w]{0,12}[ ]){0,4}\Z"
)
#: No answers, though they stand where answers do.
_EMPTY_WORDS: Final = """
    nonsense gibberish rubbish garbage something anything nothing random quatsch unsinn blödsinn mist müll
    irgendwas etwas nichts alles dasselbe importe tonterías cualquier algo nada qualcosa niente
    sciocchezze qualquer onzin iets niets anders fout falsch verkeerd wrong bullshit vergessen leider
    immer auch nicht dort hier das den die der einen eine mal antwort namen name pas quelque chose rien
    monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag
    sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado
    domingo lunedì martedì mercoledì giovedì venerdì sabato domenica maandag dinsdag woensdag donderdag vrijdag
    zaterdag zondag
    always never there here it that this what how my i we you they he she the a an ich wir du sie er es
"""
_EMPTY: Final = frozenset(_EMPTY_WORDS.split())
HINTS: Final = (
    "parents|eltern|padres|genitori|pais se|ouders|nonn|abuel|grand|oma|opa|avó|avô|hochzeit|heirat|mascota|chiamava|"
    "question|secret answer|frage|réponse|pregunta|respuesta|domanda|risposta|pergunta|resposta|vraag|vrag|maiden"
    "|mädchenn|geburts"
    "|jeune fille|naissance|soltera|apellido|cognome|solteira|apelido|sobrenome|meisjesna|first|erste|eerste|favo"
    "|childhood|liebling"
    "|premi|prim|infan|enfance|kindheit|jeugd|element|grund|volks|basis|maternelle"
    "|grew up|wuchs"
    "|gewachsen|grandi|crec|cresc|opg|birth|born|nacimiento|nascita|nascimento|geboorte|name |nom de|nom du"
    "|nombre de|nome d|naam van"
    "|lievel|prefer|préfér"
)


def find(text: str) -> Iterator[Span]:
    """Where answers to security questions are in `text`, each as [start, end)."""
    for question in _QUESTIONS.finditer(text):
        asks = question["t"] is None or any(
            _ASKING.search(text, max(0, low), high)
            for low, high in (
                (question.start() - _ASKED_BEFORE, question.start()),
                (question.end(), question.end() + _ASKED_BEHIND),
            )
        )
        end = min(len(text), question.end() + _AHEAD)
        paragraph = text.find("\n\n", question.end(), end)
        said = text[question.end() : end if paragraph < 0 else paragraph]
        told = (
            not asks and _PLACED.match(said, 1) is not None
        )  # "the first job is Build": what follows is no answer
        put = [match for match in _PUT.finditer(said) if asks or (not told and _is_sure(match, said))]
        put += [match for match in _PUT_AT_LAST.finditer(said) if asks or _ENTERS.search(match[0])]
        before = text[max(0, question.start() - _AHEAD // 2) : question.start()]
        put_as = _PUT_AS.search(before)
        if put_as and (question["q"] or not put_as["in"]) and _may_be_typed(put_as["s"]):
            start = question.start() - len(before)
            yield start + put_as.start("s"), start + put_as.end("s")
            continue
        for match in put:
            if _may_be_typed(match["s"]):
                yield question.end() + match.start("s"), question.end() + match.end("s")
                break
        else:
            if asks:
                yield from _told(text, question, said)


def _told(text: str, question: re.Match[str], said: str) -> Iterator[Span]:
    """The answer that "is" or a sign ties to its question, or that stands right beside a maiden name."""
    sentence = re.split(r"[.!\n](?!\w)", said, maxsplit=1)[0]
    told = [*_PLACED.finditer(sentence)]
    if question["q"] or _ANSWER.search(text, max(0, question.start() - _ASKED_BEFORE), question.start()):
        told += _TIED.finditer(sentence)
    for match in told:
        if _may_be_told(match["s"], german=_GERMAN.match(match[0]) is not None):
            yield question.end() + match.start("s"), question.end() + match.end("s")
            return
    if question["q"] is None:
        behind = _RIGHT_BEHIND.match(said)
        if (
            behind
            and (question["m"] or _CLAUSE.match(said, behind.end()))
            and _may_be_told(behind["s"], german=True)
        ):
            yield question.end() + behind.start("s"), question.end() + behind.end("s")
            return
    start = max(0, question.start() - _AHEAD // 2)
    before = _BEFORE.search(text[start : question.start()]) if question["t"] is None else None
    if before and _may_be_told(before["s"], german=True):
        yield start + before.start("s"), start + before.end("s")


def _is_sure(match: re.Match[str], said: str) -> bool:
    """Whether a verb is one of answering, or ends what is said, so that it needs nobody who asks."""
    return bool(_ENTERS.search(match[0]) or (_ENDS.match(said, match.end()) and not _SAYS.search(match[0])))


def _may_be_typed(answer: str) -> bool:
    first = answer.split()[0]
    if first.casefold() in _EMPTY:
        return False
    if first[:1].isupper():
        return " " in answer or frequency(first) < _NAME
    return frequency(first) < _TYPED and not STATE.match(first)


def _may_be_told(answer: str, *, german: bool) -> bool:
    words = [word for word in answer.split() if word.casefold().rstrip(".") not in _TITLES]
    if not words or words[0].casefold() in _EMPTY:
        return False
    if answer[:1].isupper():
        return min(map(frequency, words)) < (_NOUN if german else _NAME)
    return frequency(words[0]) < _RARE and not STATE.match(words[0])
