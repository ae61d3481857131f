"""Real servers for the tests: started when first asked for, shared by all workers of a run."""
