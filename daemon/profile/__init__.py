"""The profile: what changes it has four verbs (learn, forget, decide, publish), and is told in events.

In come entries, selections, decisions and adapters; a folder and its key. Out go events, a backup, a restored store, or
an empty folder. Only this room changes what a profile knows, decides that something is not to be learned, and does
something to the profile as a whole.
"""
