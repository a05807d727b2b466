"""Suggestions: from the text before a cursor to words and grey text.

In comes a prefix. Out go words with their probabilities, and a ghost where it is likely enough to be right. Only this
room ranks words, and decides whether a ghost is shown.
"""
