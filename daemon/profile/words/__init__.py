"""Words: what the user decides about them (never suggested, their own, corrected or not), and those that they wrote.

In come decisions about words, and lists of them. Out go rules, and words with how often they were written. The table of
rules is `daemon/storage/words.py`; what rules do to suggestions is `adapters/prediction/word_preferences.py`.
"""
