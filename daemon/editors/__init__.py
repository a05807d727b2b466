"""Editors and shells: the programs that people type in, and how each of them asks the service.

In come the Language Server Protocol and lines from a shell. Out go completions and ghost text, and what was typed.
These programs run outside the service and ask it over HTTP, as any other program does.
"""
