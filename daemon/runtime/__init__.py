"""The service as a process of an operating system: its lock, its start and end, its rest, its log.

In come signals, the desktop's session, and child processes to run. Out goes one running service a profile. Only this
room starts and ends the service and its child processes.
"""
