"""The client's address, for whoever writes down who did what while a request is served."""

from __future__ import annotations

import contextvars

# Empty outside requests: the command line and the worker.
client_address: contextvars.ContextVar[str] = contextvars.ContextVar("client_address", default="")
