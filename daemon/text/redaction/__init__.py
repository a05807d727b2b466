"""Secrets are found in a text, and a placeholder takes their place.

In comes a text. Out comes the same text with `[password]`, `[token]` and the like where secrets were. One
table holds the rules and one engine runs them; only this room says what a secret is.
"""
