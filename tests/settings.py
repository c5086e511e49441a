"""Bedside's settings for tests: the same, but quick where slowness protects people, and without a connection pool."""

from bedside.config.settings import *  # noqa: F403
from bedside.config.settings import DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each thread of a test has its own connection, and closes it: a pool would keep the test database busy at the end.
DATABASES["default"]["OPTIONS"].pop("pool", None)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
# Pages are tested without collectstatic: plain names, no manifest.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["*"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
