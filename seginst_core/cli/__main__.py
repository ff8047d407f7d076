"""``python -m seginst_core.cli`` is ``seginst``."""

from seginst_core.cli.app import main

main()
