"""One person, several devices: what is learned on one is known on all, through a folder that others synchronise.

In come the files that other devices wrote into the folder. Out go files of this device's own, and what arrived, to
`ingest` and `profile`. Only this room writes into a shared folder and reads it; it opens no connection.
"""
