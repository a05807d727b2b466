"""The command line: what a user types, and what is shown.

In come arguments. Out come sentences, tables and JSON. Only this room prints, and only it asks the user. Each command
is a file in `commands/`; what several of them use stands here.
"""
