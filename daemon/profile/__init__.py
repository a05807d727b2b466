"""The profile: five verbs change it (learn, forget, expire, decide, publish), and each is followed by an event.

In come entries, selections, decisions and adapters. Out go events. Only this room changes what a profile knows, and
decides that something is not to be learned.
"""
