"""What every endpoint does: methods, errors as problem details, idempotency keys. No cookies are used, so no CSRF."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from bedside.core import idempotency
from bedside.core.errors import BedsideError, NotFound
from bedside.core.idempotency import Answer
from bedside.core.ratelimit import RateLimited
from bedside.web.api.problems import Problem, respond

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]
KEPT_HEADERS = ("Content-Type", "Location", "Retry-After")


def endpoint(**methods: View) -> View:
    """A view from one function per method, for example ``endpoint(GET=show)``; HEAD is answered as GET."""
    if "GET" in methods:
        methods.setdefault("HEAD", methods["GET"])

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            if request.method not in methods:
                allowed = ", ".join(sorted(methods))
                raise Problem(
                    405,
                    "method-not-allowed",
                    _("Use one of: %(methods)s.") % {"methods": allowed},
                    headers={"Allow": allowed},
                )
            response = answer(lambda: methods[request.method or ""](request, **kwargs))
        except Problem as problem:
            response = respond(problem)
        response["Cache-Control"] = "no-store"
        return response

    return view


def answer(work: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``work`` gives, or the problem that it ran into."""
    try:
        return work()
    except Problem as problem:
        return respond(problem)
    except BedsideError as error:
        return respond(problem_of(error))
    except RequestDataTooBig:
        return respond(Problem(413, "too-large", _("Send at most one megabyte.")))
    except SuspiciousOperation:
        return respond(Problem(400, "bad-request", _("The request can't be read.")))
    except Exception:
        log.exception("api_failed")
        return respond(
            Problem(500, "server-error", _("Something went wrong on our side. Nothing was changed; please try again."))
        )


def problem_of(error: BedsideError) -> Problem:
    """A named error of the rooms below, as a problem."""
    if isinstance(error, NotFound):
        return Problem(404, error.code, _("There is nothing here. Check the address and its token."))
    wait = error.retry_after if isinstance(error, RateLimited) else error.details.get("retry_after")
    headers = {"Retry-After": str(wait)} if wait else {}
    return Problem(error.status, error.code, error.message, headers=headers)


def idempotent(scope: str) -> Callable[[View], View]:
    """Honour ``Idempotency-Key`` on a POST: the same key and request get the first answer again."""

    def decorate(view: View) -> View:
        @wraps(view)
        def once(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return view(request, **kwargs)
            kept, is_replay = idempotency.answer_once(
                scope=scope,
                key=key,
                request=b"\n".join([request.path.encode(), request.body]),
                work=lambda: _keep(answer(lambda: view(request, **kwargs))),
            )
            response = HttpResponse(kept.body, status=kept.status)
            for name, value in kept.headers.items():
                response[name] = value
            if is_replay:
                response["Idempotent-Replayed"] = "true"
            return response

        return once

    return decorate


def _keep(response: HttpResponse) -> Answer:
    headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
    return Answer(response.status_code, response.content.decode(), headers)


def as_json(data: object, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(json.dumps(data), content_type="application/json", status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def nothing_here(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Every other address under the API."""
    return respond(Problem(404, "not-found", _("There is no such address in the API. See /api/v1/openapi.json.")))
