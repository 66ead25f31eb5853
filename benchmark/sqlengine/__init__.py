"""SQL: parsing, canonical form, sandboxed execution, and the comparison of results."""
