"""The browser: an extension for the fields of web pages, and the program that a browser starts for it.

In come what stands before a cursor in a page, and what its user wrote there. Out go suggestions, and texts to be
learned. The extension is in `extension/`; the program beside it (native messaging) asks the service over HTTP, as any
other program does. Only this room knows of browsers: where each looks for such programs, and what an extension is.
"""
