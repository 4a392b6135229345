"""Processes of a running Guyub killed at random moments: nothing lost, nothing twice.

``uv run python -m tests.faults --help``; docs/faults.md tells what it does and what came out.
"""
