"""The browser: an extension for the fields of web pages, and the program that a browser starts for it.

In come the keys and the text around the cursor of a page, and the user's own text there. Out go what the typing session
wants drawn and replaced there (`page_door.py`), and texts to learn. The extension is in `extension/`; the native
messaging program beside it asks the service over HTTP. Only this room knows of browsers: where each finds such
programs, and what an extension is.
"""
