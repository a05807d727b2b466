"""What is served at the moment: the live model (user model, predictor, adapter), suggestions, generated texts.

In come entries and adapters from the store, and feedback on suggestions. Out go suggestions and texts. Only this room
replaces what is served.
"""
