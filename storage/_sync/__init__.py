"""Generated from `storage._async` by `python -m storage._tools.generate`: do not edit."""
