"""Clients: the programs that ask the service, each in a folder of its own, and the link that all of them ask through.

In come the requests of a client. Out go the service's answers, or the errors that the client shows.
"""
