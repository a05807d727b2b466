"""The store: everything learned about the user in one encrypted SQLite file.

In come entries, adapters and events: `Store` has a repository for each kind of record, and each of their methods is one
transaction. Out come the same, and receipts of what was forgotten. Only this room speaks SQL.
"""
