"""Editors: the language server that they start, and how it asks the service.

In comes the Language Server Protocol. Out go completions and ghost text, and what was typed.
These programs run outside the service and ask it over HTTP, as any other program does.
"""
