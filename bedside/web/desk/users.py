"""Users at the desk: who may sign in and as what; invitations; accounts switched off, on, and signed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bedside.accounts.models import DeskInvitation, Role, User
from bedside.clinic.errors import ChangedMeanwhile, InvalidFacts
from bedside.clinic.models import Practice, Provider
from bedside.core.errors import BedsideError
from bedside.flows import invite as portal_invite
from bedside.flows import users as flow
from bedside.flows import users_invite
from bedside.reports import record
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.catalogue import version_of
from bedside.web.live.tickets import ticket
from bedside.web.stale import clash

AREA, TAB = "settings", "users"
MOST_PK = 2**62


def _name() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Name"),
        max_length=flow.MAX_NAME,
        help_text=gettext_lazy("As colleagues and the activity log call the person."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say the person's name.")},
    )


class InviteForm(forms.Form):
    """``provider``: the slug of somebody who sees patients and has no account yet."""

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[
            (Role.ADMIN, gettext_lazy("Admin: the desk, all of it")),
            (Role.PROVIDER, gettext_lazy("Provider: the portal, own visits only")),
        ],
        widget=forms.RadioSelect,
        initial=Role.ADMIN,
    )
    email = forms.CharField(
        label=gettext_lazy("Email"),
        max_length=300,
        help_text=gettext_lazy("The invitation goes there, and the person signs in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say where the invitation should go.")},
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=flow.MAX_NAME,
        help_text=gettext_lazy("Of an admin. A provider has one already."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    provider = forms.ChoiceField(
        label=gettext_lazy("Provider"),
        required=False,
        help_text=gettext_lazy("Whose visits it is. Those who have an account are not in the list."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["provider"]
        assert isinstance(field, forms.ChoiceField)
        free = Provider.objects.filter(user=None, active=True).order_by("name")
        field.choices = [("", _("Choose")), *free.values_list("slug", "name")]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("role") == Role.PROVIDER and not values.get("provider") and "provider" not in self.errors:
            self.add_error("provider", _("Choose who it is. Somebody new is added under People first."))
        if values.get("role") == Role.ADMIN and not values.get("name") and "name" not in self.errors:
            self.add_error("name", _("Say the person's name."))
        return values


class UserForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    name = _name()
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[
            (Role.ADMIN, gettext_lazy("Admin: the desk, all of it")),
            (Role.PROVIDER, gettext_lazy("Provider: the portal, own visits only")),
        ],
        widget=forms.RadioSelect,
    )


@require_safe
@never_cache
@admin_required
def users(request: HttpRequest) -> HttpResponse:
    """The list, and the invitations that are open; ``?show=archived`` for accounts that are switched off."""
    archived = request.GET.get("show") == "archived"
    counts = User.objects.aggregate(every=Count("pk"), archived=Count("pk", filter=Q(is_active=False)))
    has_second = Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP))
    found = User.objects.filter(is_active=not archived).select_related("provider").annotate(second=has_second)
    context = {
        "area": AREA,
        "tab": TAB,
        "live_ticket": ticket("desk"),
        "zone": Practice.current().timezone,
        "archived": archived,
        "counts": counts | {"active": counts["every"] - counts["archived"]},
        "users": found.order_by("role", "name", "pk"),
        "invitations": DeskInvitation.objects.filter(claimed_at=None, revoked_at=None).order_by("-pk"),
    }
    return render(request, "desk/users.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def invite(request: HttpRequest) -> HttpResponse:
    """To the desk, or a provider to the portal."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said, actor = form.cleaned_data, actor_of(request)
        try:
            if said["role"] == Role.ADMIN:
                users_invite.invite(name=said["name"], email=said["email"], actor=actor)
            else:
                provider = get_object_or_404(Provider, slug=said["provider"])
                portal_invite.invite(provider_id=provider.pk, email=said["email"], actor=actor)
        except InvalidFacts as error:
            for name, message in error.errors.items():
                form.add_error(name, message)
        except portal_invite.CannotInvite as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, _("The invitation is on its way."))
            return HttpResponseRedirect(reverse("desk:users"), status=303)
    return render(
        request, "desk/user_invite.html", {"area": AREA, "tab": TAB, "form": form}, status=422 if form.errors else 200
    )


@require_POST
@never_cache
@admin_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """An open invitation's link stops working; ``again`` sends a new one to the same address."""
    invitation = get_object_or_404(DeskInvitation, pk=min(pk, MOST_PK))
    try:
        if "again" in request.POST:
            users_invite.invite(name=invitation.name, email=invitation.email, actor=actor_of(request))
            messages.success(request, _("A new invitation is on its way; the link of before doesn't work any more."))
        elif users_invite.withdraw(invitation_id=invitation.pk, actor=actor_of(request)):
            messages.success(request, _("The invitation's link doesn't work any more."))
        else:
            messages.info(request, _("That invitation was used or withdrawn already."))
    except InvalidFacts as error:
        messages.warning(request, next(iter(error.errors.values())))
    return HttpResponseRedirect(reverse("desk:users"), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: name and role in a form; what its buttons ask for comes as ``do``."""
    found = get_object_or_404(User.objects.select_related("provider"), pk=min(pk, MOST_PK))
    if request.method != "POST":
        return _page(request, found, UserForm(initial=_typed(found)))
    deed = request.POST.get("do", "save")
    if deed != "save":
        return _do(request, found, deed)
    form = UserForm(request.POST, initial=_typed(found))
    if not form.is_valid():
        return _page(request, found, form)
    said = form.cleaned_data
    try:
        changed = flow.change_user(user_id=found.pk, actor=actor_of(request), **said)
    except InvalidFacts as error:
        for name, message in error.errors.items():
            form.add_error(name, message)
        return _page(request, found, form)
    except ChangedMeanwhile as error:
        found.refresh_from_db()
        return _page(request, found, form, clash(form, _typed(found), error))
    messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
    return _back(found)


def _do(request: HttpRequest, found: User, deed: str) -> HttpResponse:
    if deed not in DEEDS:
        return HttpResponseBadRequest(_("This page doesn't know that button."), content_type="text/plain")
    try:
        messages.success(request, DEEDS[deed](request, found))
    except ChangedMeanwhile as error:
        found.refresh_from_db()
        return _page(request, found, UserForm(initial=_typed(found)), {"stale": error})
    except flow.CannotChangeAccount as error:
        messages.warning(request, error.message)
    return _back(found)


def _deactivate(request: HttpRequest, found: User) -> str:
    flow.deactivate(user_id=found.pk, version=version_of(request), actor=actor_of(request))
    return _("%(name)s is signed out and can't sign in any more.") % {"name": found}


def _reactivate(request: HttpRequest, found: User) -> str:
    flow.reactivate(user_id=found.pk, version=version_of(request), actor=actor_of(request))
    return _("%(name)s can sign in again.") % {"name": found}


def _sign_out(request: HttpRequest, found: User) -> str:
    flow.sign_out_everywhere(user_id=found.pk, version=version_of(request), actor=actor_of(request))
    return _("%(name)s is signed out everywhere.") % {"name": found}


def _second_factor(request: HttpRequest, found: User) -> str:
    done = flow.reset_second_factor(user_id=found.pk, version=version_of(request), actor=actor_of(request))
    return _("The second step is off. It can be set up anew after signing in.") if done else _("It was off already.")


def _password(request: HttpRequest, found: User) -> str:
    flow.send_password_link(user_id=found.pk, actor=actor_of(request))
    return _("A link for a new password is on its way.")


DEEDS: dict[str, Callable[[HttpRequest, User], str]] = {
    "deactivate": _deactivate,
    "reactivate": _reactivate,
    "sign-out": _sign_out,
    "second-factor": _second_factor,
    "password": _password,
}


def _typed(found: User) -> dict[str, Any]:
    return {"name": found.name, "role": found.role, "version": found.version}


def _back(found: User) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:user", args=[found.pk]), status=303)


def _page(request: HttpRequest, found: User, form: UserForm, more: dict[str, Any] | None = None) -> HttpResponse:
    stale: BedsideError | None = (more or {}).get("stale")
    context = {
        "area": AREA,
        "tab": TAB,
        "form": form,
        "one": found,
        "is_me": found.pk == request.user.pk,
        "provider": getattr(found, "provider", None),
        "second": Authenticator.objects.filter(user=found, type=Authenticator.Type.TOTP).exists(),
        "history": record.history(found),
        "zone": Practice.current().timezone,
    }
    status = stale.status if stale else 422 if form.errors else 200
    return render(request, "desk/user.html", context | (more or {}), status=status)
