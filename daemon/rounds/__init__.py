"""When a training round starts, how it waits for the user, and what becomes of its result.

In come the state of the machine and what was learned since the last round. Out goes an adapter that is served, or the
reason why it is not. Only this room decides when
training starts.
"""
