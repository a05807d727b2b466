"""What mail programs put around a mail, in seven languages: whoever answers wrote none of it."""

import pytest

from idiolect.daemon.sources.mail_message import _GENERATED
from idiolect.daemon.text.replies import own_words, split

WROTE = """\
Am 01.05.2024 um 12:00 schrieb A B <b@example.org>:
A B <b@example.org> schrieb am Mi., 1. Mai 2024, 12:00:
Am Mittwoch, 1. Mai 2024, 12:00:00 MESZ hat A B <b@example.org> Folgendes geschrieben:
A B schrieb am 01.05.24 um 12:00:
Le mer. 1 mai 2024 à 12:00, A B <b@example.org> a écrit :
Le 01/05/2024 à 12:00, A B a écrit :
A B <b@example.org> a écrit le mer. 1 mai 2024 à 12:00 :
El mié, 1 may 2024 a las 12:00, A B (<b@example.org>) escribió:
El 1/5/24 a las 12:00, A B escribió:
Il giorno mer 1 mag 2024 alle ore 12:00 A B <b@example.org> ha scritto:
Il 01/05/24 12:00, A B ha scritto:
In data 1 maggio 2024 12:00:00, A B ha scritto:
Em qua., 1 de mai. de 2024 às 12:00, A B <b@example.org> escreveu:
Em 01/05/2024 12:00, A B escreveu:
A B <b@example.org> escreveu no dia quarta, 1/05/2024 à(s) 12:00:
A B <b@example.org> escreveu (quarta, 1/05/2024 à(s) 12:00):
Às 12:00 de 01/05/2024, A B escreveu:
No dia 1 de mai. de 2024, às 12:00, A B <b@example.org> escreveu:
Op wo 1 mei 2024 om 12:00 schreef A B <b@example.org>:
Op 01-05-2024 om 12:00 schreef A B:
Op 1 mei 2024, om 12:00 heeft A B <b@example.org> het volgende geschreven:
A B <b@example.org> schreef op 1 mei 2024 12:00:
Op 1 mei 2024 om 12:00 schreef A B <b@example.org> het volgende:
""".splitlines()
HEADERS = """\
Von: A B <b@example.org>⏎Gesendet: Mittwoch, 1. Mai 2024 12:00⏎An: C D <c@example.org>⏎Betreff: AW: Boot⏎⏎Hallo
Von: A B <b@example.org>⏎Datum: Mittwoch, 1. Mai 2024 um 12:00⏎An: C <c@example.org>⏎Cc: D⏎Betreff: Boot⏎⏎Hallo
De : A B <b@example.org>⏎Envoyé : mercredi 1 mai 2024 12:00⏎À : C D <c@example.org>⏎Objet : RE: Bateau⏎⏎Bonjour
De: A B <b@example.org>⏎Date: mercredi, 1 mai 2024 à 12:00⏎À: C⏎Objet: Bateau⏎⏎Bonjour
De : A B⏎Envoyé le : mercredi⏎À : C⏎Objet : b⏎⏎x
De: A B <b@example.org>⏎Enviado el: miércoles, 1 de mayo de 2024 12:00⏎Para: C⏎Asunto: RE: Barco⏎⏎Hola
Da: A B <b@example.org>⏎Inviato: mercoledì 1 maggio 2024 12:00⏎A: C⏎Oggetto: R: Barca⏎⏎Ciao
Da: A B⏎Data: mercoledì⏎A: C⏎Oggetto: Barca⏎⏎Ciao
De: A B⏎Enviada em: quarta-feira⏎Para: C⏎Assunto: Barco⏎⏎Olá
De: A B⏎Enviado em: quarta-feira⏎Para: C⏎Assunto: Barco⏎⏎Olá
De: A⏎Data: quarta⏎Para: C⏎Assunto: b⏎⏎x
Van: A B <b@example.org>⏎Verzonden: woensdag 1 mei 2024 12:00⏎Aan: C⏎Onderwerp: RE: Boot⏎⏎Hallo
Van: A B⏎Datum: woensdag⏎Aan: C⏎Onderwerp: Boot⏎⏎Hallo
""".splitlines()
ORIGINALS = """\
Begin forwarded message:
-----Ursprüngliche Nachricht-----
-------- Original-Nachricht --------
---------- Forwarded message ---------
Anfang der weitergeleiteten Nachricht:
Anfang der weitergeleiteten E-Mail:
---------- Weitergeleitete Nachricht ----------
----- Weitergeleitete Mail -----
-------- Originalnachricht --------
-----Message d'origine-----
-----Message d’origine-----
---------- Message transféré ---------
Début du message réexpédié :
Début du message transféré :
-------- Message original --------
-------- Message initial --------
-----Mensaje original-----
-------- Mensaje reenviado --------
Inicio del mensaje reenviado:
-----Messaggio originale-----
-------- Messaggio Inoltrato --------
Inizio messaggio inoltrato:
Inizio del messaggio inoltrato:
-----Mensagem original-----
---------- Mensagem encaminhada ---------
-------- Mensagem reencaminhada --------
Início da mensagem reencaminhada:
Início da mensagem encaminhada:
Início da mensagem reenviada:
-----Oorspronkelijk bericht-----
-------- Doorgestuurd bericht --------
Begin doorgestuurd bericht:
-----Origineel bericht-----
""".splitlines()
SENT_FROM = """\
Sent from my iPhone
Get Outlook for iOS
Von meinem iPhone gesendet
Sent from Boomerang
Sent from my device
Gesendet von Mail für Windows
Holen Sie sich Outlook für iOS
Outlook für iOS beziehen
Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.
Gesendet mit der GMX Mail App
Von unterwegs gesendet
Envoyé de mon iPhone
Envoyé depuis mon iPhone
Télécharger Outlook pour Android
Envoyé à partir de Outlook pour Android
Obtenir Outlook pour iOS
Envoyé avec K-9 Mail
Envoyé par mon Samsung
Enviado desde mi iPhone
Obtener Outlook para Android
Enviado con Mailtrack
Inviato da iPhone
Scarica Outlook per iOS
Inviato dal mio iPhone
Ottieni Outlook per iOS
Inviato con Spark
Enviado do meu iPhone
Enviado a partir do meu iPhone
Obter Outlook para iOS
Enviado pelo meu iPhone
Verstuurd vanaf mijn iPhone
Outlook voor Android ophalen
Verzonden vanaf mijn iPhone
Verzonden vanuit Outlook voor iOS
Outlook voor iOS downloaden
Download Outlook voor iOS
""".splitlines()
FOOTERS = """\
To unsubscribe from this group, write to it.
This e-mail may be confidential.
Sie erhalten diese Nachricht, weil Sie die Google-Gruppe abonniert haben.
Diese E-Mail enthält vertrauliche Informationen.
Vous recevez ce message, car vous êtes abonné au groupe.
Ce message est confidentiel.
Has recibido este mensaje porque estás suscrito al grupo.
Este mensaje puede ser confidencial.
Hai ricevuto questo messaggio perché sei iscritto al gruppo.
Questo messaggio contiene informazioni riservate.
Você recebeu essa mensagem porque está inscrito no grupo.
Esta mensagem pode conter informação confidencial.
Je hebt dit bericht ontvangen omdat je bent geabonneerd op de groep.
De informatie in dit bericht is vertrouwelijk.
""".splitlines()
GENERATED = """\
Automatic reply: Boats
Automatische Antwort: Boote
Zugesagt: Boote
Réponse automatique : Bateaux
Respuesta automática: Barcos
Risposta automatica: Barche
Accettato: Barche
Resposta automática: Barcos
Automatisch antwoord: Boten
Geaccepteerd: Boten
""".splitlines()
#: What people write, though it begins as such lines do.
PEOPLE = """\
Von meinem Vater habe ich das Boot.
Gesendet: Mittwoch
Le ministre a écrit :⏎nous partons.
El profesor escribió:⏎no vengo.
Il professore ha scritto:⏎non vengo.
Am Ende schrieb sie:⏎ich komme nicht.
Em casa ela escreveu:⏎não vou.
Op school schreef hij:⏎ik kom niet.
Am 12. habe ich alles aufgeschrieben:⏎Brot und Käse.
On Monday I rewrote these 3 files:⏎all of them.
Mit freundlichen Grüßen⏎Anna
Cordialement
Un saludo
Cordiali saluti
Atenciosamente
Met vriendelijke groet
Envoyé par la poste hier.
Enviado con cariño.
Inviato da Milano ieri.
Sent with the post yesterday.
""".splitlines()


def typed(text: str) -> str:
    return text.replace("⏎", "\n")


@pytest.mark.parametrize("below", ["> Kommst du?\n> Ja?\n", "Below, it is quoted without marks.\n"])
@pytest.mark.parametrize("line", WROTE)
def test_who_wrote_what_is_quoted(line: str, below: str) -> None:
    assert own_words(f"Gut.\n\n{line}\n{below}") == "Gut."
    reply = split("Gut", f".\n\n{line}\n{below}")
    assert reply.prefix == "Gut"
    assert reply.context()[0].startswith(line)


@pytest.mark.parametrize("rule", ["", f"{'_' * 32}\n"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_mail_that_is_quoted_with_its_header(header: str, rule: str) -> None:
    assert own_words(f"Gut.\n\n{rule}{typed(header)}") == "Gut."


@pytest.mark.parametrize("line", ORIGINALS)
def test_a_line_above_a_mail_that_is_forwarded(line: str) -> None:
    assert own_words(f"Gut.\n\n{line}\n\nHello") == "Gut."


@pytest.mark.parametrize("line", [*SENT_FROM, *FOOTERS])
def test_what_programs_add_below(line: str) -> None:
    assert own_words(f"Gut.\n\n{line}") == "Gut."


@pytest.mark.parametrize("subject", GENERATED)
def test_the_subject_of_an_answer_that_nobody_typed(subject: str) -> None:
    assert _GENERATED.match(subject)


@pytest.mark.parametrize("text", PEOPLE)
def test_what_people_write_is_theirs(text: str) -> None:
    kept = own_words(f"Gut.\n\n{typed(text)}\n\nBis bald.").split()
    assert kept == f"Gut. {typed(text)} Bis bald.".split()
