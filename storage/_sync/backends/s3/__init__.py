# Generated from storage/_async/backends/s3/__init__.py: do not edit, but run
# `python -m storage._tools.generate`.
