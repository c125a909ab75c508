"""`python -m maxfw` is the command line."""

from maxfw.cli import main

main(prog_name="maxfw")
