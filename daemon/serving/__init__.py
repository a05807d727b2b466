"""What is served at the moment: adapters that fit the base model, generated texts, shell commands.

In come adapters from the store, and feedback on suggestions. Out go predictors and generators that are ready to be
asked. Only this room replaces what is served.
"""
