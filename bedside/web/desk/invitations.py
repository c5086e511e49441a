"""The desk's buttons about a provider's account: invite, withdraw, take access back."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bedside.clinic.models import Practice, Provider
from bedside.core.errors import BedsideError
from bedside.flows import invite
from bedside.web.access import actor_of, admin_required
from bedside.web.live.tickets import ticket


class InviteForm(forms.Form):
    """What is typed; the flow says what is wrong with it."""

    email = forms.CharField(
        label=gettext_lazy("Email"),
        help_text=gettext_lazy("The invitation goes there, and the provider signs in with it."),
        required=False,
        max_length=300,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def portal_account(request: HttpRequest, slug: str) -> HttpResponse:
    """The page; what a button asks for comes as ``do``."""
    provider = get_object_or_404(Provider.objects.select_related("user"), slug=slug)
    form = InviteForm(initial={"email": provider.email})
    if request.method == "POST":
        deed = request.POST.get("do", "")
        if deed not in DEEDS:
            return HttpResponseBadRequest(_("This page doesn't know that button."), content_type="text/plain")
        form = InviteForm(request.POST)
        form.full_clean()
        try:
            said = DEEDS[deed](request, provider, str(form.cleaned_data.get("email", "")))
        except invite.CannotInvite as error:
            form.add_error("email", error.message)
        except BedsideError as error:
            messages.warning(request, error.message)
            return _back(provider)
        else:
            messages.success(request, said)
            return _back(provider)
    context = {
        "area": "calendar",
        "zone": Practice.current().timezone,
        "live_ticket": ticket(f"provider:{provider.pk}"),
        "provider": provider,
        "invitation": provider.invitations.filter(claimed_at=None, revoked_at=None).first(),
        "form": form,
    }
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "desk/_portal_account.html" if part else "desk/portal_account.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _invite(request: HttpRequest, provider: Provider, email: str) -> str:
    invite.invite(provider_id=provider.pk, email=email, actor=actor_of(request))
    return _("The invitation is on its way.")


def _withdraw(request: HttpRequest, provider: Provider, email: str) -> str:
    invite.withdraw(provider_id=provider.pk, actor=actor_of(request))
    return _("The invitation's link doesn't work any more.")


def _revoke(request: HttpRequest, provider: Provider, email: str) -> str:
    invite.revoke_access(provider_id=provider.pk, actor=actor_of(request))
    return _("The account is closed. Nobody can use it any more.")


DEEDS = {"invite": _invite, "withdraw": _withdraw, "revoke-access": _revoke}


def _back(provider: Provider) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:portal_account", args=[provider.slug]), status=303)
