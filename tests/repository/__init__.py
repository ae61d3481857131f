"""The rules of the house, held by tests: layers, façades, generated code, packaging."""
