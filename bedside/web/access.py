"""Who may open which area. Nothing under /desk/ answers without the role; a patient's link is a key of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from bedside.accounts.models import Role, User
from bedside.core.audit import Actor

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]


def _needs(allowed: Callable[[User], bool], area: str) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not allowed(request.user):
                log.warning("area_refused", area=area, user_id=request.user.pk)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


admin_required = _needs(lambda user: user.is_admin, "desk")
provider_required = _needs(lambda user: user.is_provider, "portal")


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request: the signed-in member of the practice, else the patient with the link."""
    user = request.user
    if not user.is_authenticated:
        return Actor.patient()
    return Actor("admin" if user.role == Role.ADMIN else "provider", user.pk, str(user))
