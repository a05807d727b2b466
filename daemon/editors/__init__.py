"""Editors and shells: programs that people type in, and how each of them asks the service."""
