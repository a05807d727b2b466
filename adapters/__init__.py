"""What is learned about the user, and what is made of it: n-grams, words, LoRA adapters, suggestions, texts.

In come texts as token ids, and what stands before a cursor. Out go suggestions, adapters, and figures that say
how good they are. Nothing here knows of files to watch, of HTTP, or of the store: everything is handed in.
"""
