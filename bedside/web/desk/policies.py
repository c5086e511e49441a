"""Cancellation policies at the desk: what holds where; a new version, read as the patient reads it, then kept."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.clinic import policy_words
from bedside.clinic.errors import ChangedMeanwhile
from bedside.clinic.models import Practice, Service
from bedside.clinic.policy import Terms, proposal
from bedside.clinic.policy_models import MOST_HOURS, CancellationPolicy, InForce, in_force, versions_on
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import policies
from bedside.web.access import actor_of, admin_required
from bedside.web.stale import clash
from bedside.web.templatetags.when import say_when


def _number(label: Any, help_text: Any, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=0,
        max_value=most,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": gettext_lazy("Enter a number."),
            "invalid": gettext_lazy("Enter a whole number."),
            "min_value": gettext_lazy("Enter 0 or more."),
            "max_value": gettext_lazy("At most %(limit_value)s."),
        },
    )


class FollowForm(forms.Form):
    """From which day a service follows the practice's policy again."""

    valid_from = forms.DateField(
        label=gettext_lazy("For bookings made from"),
        help_text=gettext_lazy("What is booked before this day keeps the policy that it was booked under."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Choose a day."), "invalid": gettext_lazy("Choose a day.")},
    )

    def clean_valid_from(self) -> Any:
        day = self.cleaned_data["valid_from"]
        if day < policies.today():
            raise forms.ValidationError(policies.PolicyInThePast().message)
        if day > policies.today() + timedelta(days=3 * 366):
            raise forms.ValidationError(_("Choose a day within the next three years."))
        return day


class PolicyForm(FollowForm):
    """The terms of one version. ``terms`` once it is valid."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
    free_hours = _number(
        gettext_lazy("Free until so many hours before"), gettext_lazy("Everything comes back."), MOST_HOURS
    )
    late_percent = _number(
        gettext_lazy("Percent returned after that"), gettext_lazy("0: nothing. 100: canceling is always free."), 100
    )
    no_show_fee_percent = _number(
        gettext_lazy("Percent kept of a missed visit"), gettext_lazy("100: nothing comes back."), 100
    )
    late_minutes = _number(
        gettext_lazy("Counts as missed after so many minutes"),
        gettext_lazy("From the start of the visit, where the patient hasn't come."),
        240,
    )
    move_hours = _number(
        gettext_lazy("Patients move it online until so many hours before"),
        gettext_lazy("The desk can move a visit at any time."),
        MOST_HOURS,
    )
    max_moves = _number(gettext_lazy("How often"), gettext_lazy("0: patients call to move a visit."), 20)
    words = forms.CharField(
        label=gettext_lazy("In your own words"),
        help_text=gettext_lazy("Shown after what the numbers above say. Leave it empty if they say it all."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def terms(self) -> Terms:
        names = ("free_hours", "late_percent", "no_show_fee_percent", "late_minutes", "move_hours", "max_moves")
        return Terms(**{name: self.cleaned_data[name] for name in names})


@require_safe
@never_cache
@admin_required
def policy_list(request: HttpRequest) -> HttpResponse:
    """The practice's policy, then each service's; what comes later, and what held before."""
    services = list(Service.objects.order_by("-active", "position", "name"))
    agreed, own = in_force(services), versions_on(policies.today())
    versions = list(CancellationPolicy.objects.select_related("service").order_by("-valid_from", "-pk"))
    default = own.get(None)
    rows = [_row(service, agreed[service.pk], own.get(service.pk), default, versions) for service in services]
    context = {
        "area": "policies",
        "today": policies.today(),
        "default": policy_words.whole(default.terms, default.words) if default else "",
        "default_versions": [one for one in versions if one.service_id is None],
        "rows": rows,
    }
    return render(request, "desk/policies.html", context)


def _row(
    service: Service,
    agreed: InForce,
    own: CancellationPolicy | None,
    default: CancellationPolicy | None,
    versions: list[CancellationPolicy],
) -> dict[str, Any]:
    says = policy_words.whole(agreed.terms, agreed.words) if agreed.policy or not agreed.words else agreed.words
    return {
        "service": service,
        "says": says,
        "source": "own" if own else "practice" if agreed.policy else "service",
        "versions": [one for one in versions if one.service_id == service.pk],
        "may_follow": bool(own) and bool(default),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new_policy(request: HttpRequest, slug: str = "") -> HttpResponse:
    """GET asks; POST shows how it reads; POST with ``confirm`` keeps it. Without a slug: the practice's own."""
    service = Service.objects.filter(slug=slug).first() if slug else None
    if slug and service is None:
        raise Http404
    if request.method != "POST":
        return _page(request, service, PolicyForm(initial=_present(service)))
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _page(request, service, form, status=422)
    if "confirm" not in request.POST:
        return _page(request, service, form, review="change" not in request.POST)
    try:
        policies.add_version(
            actor=actor_of(request),
            service=service,
            valid_from=form.cleaned_data["valid_from"],
            terms=form.terms,
            words=form.cleaned_data["words"],
            newest=form.cleaned_data["version"],
        )
    except ChangedMeanwhile as error:
        return _page(request, service, form, status=error.status, stale=clash(form, _newest(service), error))
    except BedsideError as error:
        form.add_error(None, error.message)
        return _page(request, service, form, status=error.status)
    messages.success(request, _("The policy is kept. It holds for bookings from that day on."))
    return HttpResponseRedirect(reverse("desk:policies"), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def follow_practice(request: HttpRequest, slug: str) -> HttpResponse:
    """GET asks from which day, and says what the practice's policy is; POST keeps it."""
    service = Service.objects.filter(slug=slug).first()
    if service is None:
        raise Http404
    form = FollowForm(request.POST if request.method == "POST" else None, initial={"valid_from": policies.today()})
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        day = form.cleaned_data["valid_from"]
        try:
            policies.follow_practice(actor=actor_of(request), service=service, valid_from=day)
        except BedsideError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            messages.success(request, _("%(name)s follows the practice's policy from that day on.") % {"name": service})
            return HttpResponseRedirect(reverse("desk:policies"), status=303)
    default = versions_on(policies.today()).get(None)
    context = {
        "area": "policies",
        "service": service,
        "form": form,
        "practices": policy_words.whole(default.terms, default.words) if default else "",
        "booked_before": policies.booked_before(service),
    }
    return render(request, "desk/policy_follow.html", context, status=status)


def _present(service: Service | None) -> dict[str, Any]:
    """What holds now, to start from."""
    own = versions_on(policies.today())
    return _typed(service, own.get(service.pk if service else None) or own.get(None)) | {"valid_from": policies.today()}


def _newest(service: Service | None) -> dict[str, Any]:
    """What was decided last, whether it holds yet or not."""
    return _typed(service, CancellationPolicy.objects.filter(service=service).order_by("-pk").first())


def _typed(service: Service | None, version: CancellationPolicy | None) -> dict[str, Any]:
    """A version as the form's initial values."""
    found = InForce(
        version, service.free_cancellation_hours if service else 24, service.cancellation_policy if service else ""
    )
    terms = found.terms
    return {
        "version": policies.newest_version(service),
        "valid_from": version.valid_from if version else policies.today(),
        "free_hours": terms.free_hours,
        "late_percent": terms.late_percent,
        "no_show_fee_percent": terms.no_show_fee_percent,
        "late_minutes": terms.late_minutes,
        "move_hours": terms.move_hours,
        "max_moves": terms.max_moves,
        "words": found.words if version else "",
    }


def _page(
    request: HttpRequest,
    service: Service | None,
    form: PolicyForm,
    *,
    review: bool = False,
    status: int = 200,
    stale: dict[str, Any] | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {"area": "policies", "service": service, "form": form} | (stale or {})
    if review:
        context |= _as_read(service, form)
    return render(request, "desk/policy.html", context, status=status)


def _as_read(service: Service | None, form: PolicyForm) -> dict[str, Any]:
    """For an invented visit a week after the policy begins: the patient's sentence, and what three moments give."""
    practice, terms = Practice.current(), form.terms
    day = form.cleaned_data["valid_from"] + timedelta(days=7)
    start = datetime.combine(day, time(14, 30), tzinfo=practice.zone)
    price = service.price if service else Money(10_000, practice.currency)
    late_at = start - timedelta(hours=max(terms.free_hours / 2, 1))
    booked = terms.free_until(start) - timedelta(hours=1)
    cases = [(booked, _("an hour before the free time ends")), (late_at, _("in the middle of the late time"))]
    if terms.late_percent == 100 or not terms.free_hours:
        cases = cases[:1]
    return {
        "review": True,
        "visit": say_when(start, practice.timezone),
        "price": format_money(price),
        "sentence": policy_words.sentence(terms, start, booked, practice.timezone, get_language() or "en"),
        "whole": policy_words.whole(terms, form.cleaned_data["words"]),
        "cases": [
            (say_when(at, practice.timezone), said, format_money(_refund(terms, price, start, at)))
            for at, said in cases
        ],
        "booked_before": policies.booked_before(service),
    }


def _refund(terms: Terms, price: Money, start: datetime, at: datetime) -> Money:
    return Money(proposal(terms, price.minor_units, start, at).refund, price.currency)
