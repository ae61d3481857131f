"""The parts of a cache: entries, where they lie, when they are true, how much room they have."""
