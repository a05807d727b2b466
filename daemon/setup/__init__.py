"""Setting up: the places that a person types in are told of the program, and untold.

In come the name of a place, and what is installed here. Out go lines in that program's own configuration, marked so
that they can be taken out again. Only this room writes into other programs' files.
"""
