# Generated from storage/_async/wrappers/__init__.py: do not edit, but run
# `python -m storage._tools.generate`.
