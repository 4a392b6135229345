"""WSGI entry point for granian or any other server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")
application = get_wsgi_application()

# Needs the settings and apps that the line above has set up.
from guyub.checks import refuse_unsafe_start  # noqa: E402

refuse_unsafe_start()
