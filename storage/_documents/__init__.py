"""Documents by URL, and what is written for blocking callers alone."""
