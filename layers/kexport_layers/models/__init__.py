"""The named models: one file per model, with a function of the file's name, and the domain of its inputs.

Keras is imported inside the functions, so that listing the models and checking their parameters takes no time.
"""
