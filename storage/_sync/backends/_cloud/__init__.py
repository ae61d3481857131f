# Generated from storage/_async/backends/_cloud/__init__.py: do not edit, but run
# `python -m storage._tools.generate`.
