"""What every request passes through."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from bedside.clinic.models import Practice
from bedside.core import clock, events, remember
from bedside.web.context import LIVE_SINCE

WITHOUT_PAGES = ("/static/", "/api/", "/hooks/", "/live/", "/healthz", "/readyz", "/metrics")


class ClockMiddleware:
    """Reads the sandbox clock once a request, so that a page and the job beside it agree on the time.

    What else is asked once a request is remembered until its end.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/static/", "/healthz")):
            clock.refresh()
        with remember.while_it_lasts():
            if _is_page(request):
                # Before anything is read: the page's stream begins here (web.live.stream).
                remember.keep(LIVE_SINCE, events.position())
            return self.get_response(request)


def _is_page(request: HttpRequest) -> bool:
    """May open a live stream; parts of a page go on with its own."""
    return (
        request.method == "GET" and "HX-Request" not in request.headers and not request.path.startswith(WITHOUT_PAGES)
    )


class LanguageMiddleware(LocaleMiddleware):
    """The patient's language by cookie, else by what the browser asks for, of those that the practice offers.

    Staff read English, whole and unmixed.
    """

    STAFF = ("/desk/", "/portal/", "/accounts/", "/calendars/")

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.path_info.startswith(self.STAFF):
            self._speak_english(request)
            return
        spoken = translation.get_language() or "en"
        if not spoken.startswith("en") and spoken not in Practice.current().languages:
            self._speak_english(request)

    @staticmethod
    def _speak_english(request: HttpRequest) -> None:
        translation.activate("en")
        request.LANGUAGE_CODE = translation.get_language() or "en"
