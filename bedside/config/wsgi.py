"""The pages, synchronous: Django behind WSGI is several times faster than behind its own ASGI handler."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bedside.config.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
