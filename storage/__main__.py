"""``python -m storage`` is the command ``storage``."""

import sys

from .cli import main

sys.exit(main())
