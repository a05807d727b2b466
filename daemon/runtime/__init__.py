"""The service as a process of an operating system: its lock, address and tokens, its start and end, its rest, its log.

In come signals, the desktop's session, and work for child processes. Out comes one running service for each profile.
Only this room starts and ends the service and the processes that train and evaluate.
"""
