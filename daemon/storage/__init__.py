"""Storage: everything learned about the user in one encrypted file, and the key to it."""
