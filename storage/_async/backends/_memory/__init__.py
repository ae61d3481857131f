"""The parts of the store in memory: its limit, and its snapshots."""
