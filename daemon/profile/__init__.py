"""The profile: five verbs change it (learn, forget, expire, decide, publish), and each is followed by an event.

In come entries, selections, decisions and adapters; a folder and its key. Out go events, a backup, a restored store, or
an empty folder. Only this room changes what a profile knows, decides that something is not to be learned, and does
something to the profile as a whole.
"""
