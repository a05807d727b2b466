"""Setting up: editors, keyboard, browsers and the service at log-in are connected, and disconnected.

In comes the name of a place. Out go files and marked lines in other programs' configuration, which `--remove` takes
back. All installers have one shape (`place.py`). Only this room writes other programs' files.
"""
