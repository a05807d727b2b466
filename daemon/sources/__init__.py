"""Readers of the formats that people write in: mail, chats, notes, documents, commit messages.

In comes a file. Out come the pieces of text that its user wrote, without what others or programs wrote. Each format is
one module; `kinds.py` lists them all, so that a new source is a module and a row. Files are found and read in child
processes, which only this room starts and ends.
"""
