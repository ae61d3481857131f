"""The parts of the zip store: the format, the journal, and the two as one. All of it blocks."""
