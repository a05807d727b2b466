"""Sources of text: one module a format, each with a function that reads it; `table.py` lists them all."""
