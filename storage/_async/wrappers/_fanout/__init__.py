"""The parts of the fan-out: who is asked, what counts as an answer, and what is put right."""
