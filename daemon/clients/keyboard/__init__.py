"""The keyboard: an input method for IBus, so that there are suggestions in every program of the desktop.

In come keys, and what a program says of the field they go to. Out go words in a window and grey text at the cursor,
what was taken of them, and, if its user says so, what was written. Only this room speaks with IBus; it asks the service
over HTTP, as any other program does, and typing goes on without it.
"""
