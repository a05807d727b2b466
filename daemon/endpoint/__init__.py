"""The HTTP endpoint: how other programs ask the service.

In come requests with a token. Out go JSON, streams of events, and the page. Only this room knows what a
request and an answer look like.
"""
