"""The profile as a whole: backed up, restored, locked, checked, exported, removed, and what is forgotten in it.

In come a profile's folder and its key. Out go a backup, a restored store, a new key, or an empty folder. Only
this room does something to the profile as a whole.
"""
