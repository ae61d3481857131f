"""Data frames of Polars, pandas and Arrow, in Parquet and CSV."""
