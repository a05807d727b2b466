"""Mending: what was meant where something is mistyped.

In comes a run of letters, and the words that are known. Out go words that may have been meant, with how likely each is,
and the user's own mistakes, which are not learned. Only this room knows how people mistype.
"""
