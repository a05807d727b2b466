"""A profile's store as a whole: its key, the marker that says that there is a store, opening, backup and purge.

In come a profile's settings, and a passphrase where it is locked with one. Out come its open store, a backup, an empty
folder, or an error that says what is lost and which ways back there are. Only this room knows where the key is kept.
"""
