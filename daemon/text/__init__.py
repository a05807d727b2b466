"""Text, without state: one form of its characters, what is the user's own in it, and what is secret.

In come texts, and names of programs and keys. Out come texts, and what is said of them. Service and clients both import
from here; nothing here reads a file, keeps anything or asks anybody.
"""
