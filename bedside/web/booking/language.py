"""The language of the patient's pages: what the browser asks for, unless the patient chose; a visit's own for its link.

Staff read English: the desk's and the portal's pages have no other language (``bedside.web.middleware``).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice

COOKIE_SECONDS = 365 * 24 * 3600


@never_cache
@require_safe
def choose(request: HttpRequest, code: str) -> HttpResponse:
    """Keep the choice in a cookie and go back: to ``?next=``, else to the page that the link was on. Nothing else."""
    if code not in Practice.current().languages:
        raise Http404
    response = redirect(_back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, code, max_age=COOKIE_SECONDS, samesite="Lax", secure=request.is_secure()
    )
    return response


def speak(request: HttpRequest, locale: str) -> None:
    """From here on in the language that was chosen at booking, unless this browser has chosen one."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and locale in Practice.current().languages:
        translation.activate(locale)
        request.LANGUAGE_CODE = locale


def _back(request: HttpRequest) -> str:
    """A path of this very site, never another one's."""
    asked = request.GET.get("next") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(asked)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith("/") else "/"
