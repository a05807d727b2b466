"""The typing session: what follows from each key, report and answer, wherever somebody types. No I/O is in it.

In come events: a key, the text around the cursor, a focus, an answer of the service, the time. Out go effects: a key is
passed on, a text is inserted, words are shown, the service is asked or told. A client carries them out.
"""
