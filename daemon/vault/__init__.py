"""The way to a profile's store: its key, the marker that says that there is a store, and the opening of it.

In come a profile's settings, and a passphrase where it is locked with one. Out comes its open store, or an error that
says what is lost and which ways back there are. Only this room knows where the key is kept.
"""
