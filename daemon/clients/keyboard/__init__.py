"""The keyboard: an input method for IBus and Fcitx, so that there are suggestions in every program of the desktop.

In come keys, and a program's reports of its field. Out go words in a window, grey text at the cursor, taken text, and,
if the user allows it, texts to learn. Only this room speaks with either. Typing goes on without the service.
"""
