"""Benchmarks: small ones that also run as plain tests, and side-by-side runs against peers."""
