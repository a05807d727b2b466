"""The command line: arguments in, output to the terminal.

In come arguments. Out come sentences, tables and JSON. Only this room writes for people, and asks them. Each command
is a file in `commands/`; what several of them use stands here.
"""
