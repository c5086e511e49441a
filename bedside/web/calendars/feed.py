"""``/calendars/<token>.ics``: a provider's visits for the calendar program that the provider uses."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from bedside.core import ratelimit
from bedside.core.errors import NotFound
from bedside.core.ratelimit import RateLimited
from bedside.flows import feed as feeds
from bedside.notifications.feed import Feed


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The file, or 304 where the program has it already. Unknown and revoked addresses are the same 404."""
    try:
        content = Feed(feeds.feed_by_token(token))
    except NotFound:
        return _unknown(request)
    seconds = int(content.changed_at.timestamp())
    response = get_conditional_response(request, etag=content.etag, last_modified=seconds)
    if response is None:
        response = HttpResponse(content.as_file(), content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="visits.ics"'
    response["ETag"] = content.etag
    response["Last-Modified"] = http_date(seconds)
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _unknown(request: HttpRequest) -> HttpResponse:
    try:
        ratelimit.hit("token-miss", str(request.META.get("REMOTE_ADDR", "")))
    except RateLimited as error:
        busy = HttpResponse(error.message + "\n", content_type="text/plain; charset=utf-8", status=429)
        busy["Retry-After"] = str(error.retry_after)
        return busy
    gone = _("There is no calendar at this address any more. Make a new one in your portal.")
    return HttpResponse(gone + "\n", content_type="text/plain; charset=utf-8", status=404)
