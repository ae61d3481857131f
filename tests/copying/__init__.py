"""Copies between two stores: which way they take, and what may go wrong on it."""
