"""What is learned about the user: their n-grams, their words, and a LoRA adapter of the base model.

In come texts as token ids, and what stands before a cursor. Out go suggestions, adapters, and figures that say
what both are worth. Nothing here knows of files to watch, of HTTP, or of the store: everything is handed in.
"""
