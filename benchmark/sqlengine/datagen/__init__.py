"""Small databases under a schema, aimed at telling two statements apart.

Promises: every database honours the declared types, keys, NOT NULL and foreign keys; what is made depends on nothing
but the schema, the statements, the sampled rows and the seed.
Does not: run anything. CHECK conditions are put to an engine through a function that the caller gives.
"""
