"""Redaction: what is a secret in a text, and what stands in its place."""
