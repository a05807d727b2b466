"""The one way in: from a file, a folder or a sent text to entries in the store.

In come paths and texts. Out go entries that were normalised, checked against the user's rules, redacted and
de-duplicated. Nothing that a person wrote reaches the store by another way.
"""
