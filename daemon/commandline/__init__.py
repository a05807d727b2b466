"""The command line: what a user types, and what is shown.

In come arguments. Out come sentences, tables and JSON. Only this room prints, and only it asks the user.
"""
