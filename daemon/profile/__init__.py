"""The profile as a whole: backed up, restored, locked, checked, exported, removed, and what is forgotten in it.

In come a profile's folder and its key. Out goes a copy, another key, or nothing. Only this room replaces or removes
the store's file.
"""
