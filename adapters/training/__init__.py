"""A training round: a LoRA adapter is trained on the user's text, and judged before it is served.

In come texts, a time budget and perhaps a checkpoint, on the stdin of a process of its own. Out go progress, an
adapter, as its own file or as one for other programs, and the verdict on it. Only this room's process loads torch, so
that the service stays small.
"""
