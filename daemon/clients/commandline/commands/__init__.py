"""The commands: one file for each, named as the command is, with its function, its help and what it shows.

In come the arguments of one command. Out go requests to the service or work on the profile, and what the terminal
shows of it. Only here is it decided what a command does and says; `command_table.py` names them all.
"""
