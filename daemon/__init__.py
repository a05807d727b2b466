"""The service: capture, store, privacy, HTTP endpoint, command line."""
