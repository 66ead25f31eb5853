"""`python -m sqlgauge`."""

from sqlgauge.cli import main

main()
