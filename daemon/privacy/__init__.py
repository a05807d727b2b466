"""What the user has said must not be learned, and what is left when they forget something.

In come an app, a field, a moment, or a text to forget. Out comes whether it may be learned, or what nearly matches
it. Only this room decides that something is not to be learned.
"""
