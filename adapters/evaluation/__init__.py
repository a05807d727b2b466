"""An evaluation: text kept aside is typed by a simulated person who takes what is offered.

In come a history and messages to type, on the stdin of a process of its own. Out go the keystrokes saved,
with confidence intervals, for each part of the program. Only this room simulates typing.
"""
