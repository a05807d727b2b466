"""`idiolect eval`: what the program is worth on text that it has not learned from.

In comes text of one person. Out go figures, and a page that shows them. Only this room starts an evaluation.
"""
