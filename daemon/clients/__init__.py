"""The way of every client to the service: command line, keyboard, browser and language server ask through one link.

In come a profile and a request. Out go the service's answers, and what was not taken. Nothing is sent to another
program that listens in the service's place. Only this room opens connections to the service.
"""
