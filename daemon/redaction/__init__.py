"""Secrets are found in a text, and a placeholder takes their place.

In comes a text. Out comes the same text with `[password]`, `[token]` and the like where secrets were. A rule stands
beside examples of what it takes and what it leaves; only this room says what a secret is.
"""
