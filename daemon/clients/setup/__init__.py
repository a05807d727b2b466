"""Setting up: keyboard, browsers, VS Code and the service at log-in are connected, and disconnected.

In comes the name of a place. Out go files that other programs read, which `--remove` takes back. All installers have
one shape (`place.py`). Only this room writes other programs' files.
"""
