"""What is known of a user without training: their n-grams, their words beside the general ones, and their rare strings.

In come texts as token ids, and beginnings of words. Out go probabilities of tokens, words with their weights, and which
strings may be secrets. Only this room learns from a text at once.
"""
