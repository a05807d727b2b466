"""Longer texts: the answer to a prompt, token by token, for programs that ask as they would ask OpenAI.

In come a prompt and sampling parameters. Out come pieces of text and the reason why it ended. Only this room samples.
"""
