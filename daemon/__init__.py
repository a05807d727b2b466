"""The service: it collects text, has it learned, and answers programs that ask for suggestions.

In come files, requests over HTTP, and commands. Out go answers, and one encrypted profile. Only this package knows
of the user's files, of the store, and of settings.
"""
