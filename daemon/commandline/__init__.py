"""The command line: what a user types, and what is shown.

In come arguments. Out come sentences, tables and JSON. Only this room writes for people, and asks them. Each command
is a file in `commands/`; what several of them use stands here.
"""
