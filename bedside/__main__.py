"""``python -m bedside`` is the ``bedside`` command."""

from __future__ import annotations

import sys

from bedside.cli import main

sys.exit(main())
