"""Credits at the desk: who has one, giving one as goodwill, and taking back what is left of one."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.accounts.models import User
from bedside.appointments.models import Appointment
from bedside.clinic.models import Practice
from bedside.core import audit, flags
from bedside.core.errors import BedsideError
from bedside.core.money import Money, format_money
from bedside.flows import credits, reverse_credit
from bedside.payments.credit_models import Credit
from bedside.payments.models import Payment
from bedside.reports import credits as report
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.money_field import MoneyField
from bedside.web.desk.tokens import FormToken

PER_PAGE = 25
WHY = gettext_lazy("Say why, in a few words: whoever looks at this later will ask.")


class IssueForm(forms.Form):
    """A gift of the practice to the patient of a visit that was paid or waived."""

    visit = forms.CharField(
        label=gettext_lazy("Visit"),
        max_length=12,
        help_text=gettext_lazy("The code of the visit that it is about, for example K7MPQ4R."),
        error_messages={"required": gettext_lazy("Enter the code of the visit.")},
    )
    amount = MoneyField(label=gettext_lazy("Amount"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the credit; the patient doesn't see it."),
        error_messages={"required": WHY},
    )
    token = FormToken()

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].currency = currency  # type: ignore[attr-defined]
        self.payment: Payment | None = None

    def clean_visit(self) -> Appointment:
        appointment = Appointment.objects.filter(code=self.cleaned_data["visit"].upper()).first()
        if appointment is None:
            raise forms.ValidationError(_("There is no visit with that code."))
        self.payment = appointment.payments.filter(succeeded_at__isnull=False).order_by("-pk").first()
        if self.payment is None:
            raise forms.ValidationError(_("That visit was never paid. Use the code of one that was."))
        return appointment

    def clean_amount(self) -> Money:
        amount: Money = self.cleaned_data["amount"]
        if amount.minor_units <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        if amount.minor_units > credits.MOST_GOODWILL:
            most = format_money(Money(credits.MOST_GOODWILL, amount.currency))
            raise forms.ValidationError(_("At most %(most)s at once.") % {"most": most})
        return amount


class ReverseForm(forms.Form):
    """``money`` only where some may go back: to the patient, or kept."""

    money = forms.ChoiceField(
        label=gettext_lazy("The money that was paid"),
        widget=forms.RadioSelect,
        initial="refund",
        error_messages={"required": gettext_lazy("Choose what becomes of the money.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": WHY},
    )

    def __init__(self, planned: reverse_credit.Preview, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not planned.refund:
            del self.fields["money"]
            return
        field = self.fields["money"]
        assert isinstance(field, forms.ChoiceField)
        said = {"amount": format_money(planned.refund)}
        back = _("%(amount)s goes back to the card, and the patient gets a receipt.")
        if planned.disputed:
            back = _("%(amount)s goes back to the patient if the dispute is won. An alert reminds the desk.")
        elif planned.by_hand:
            back = _("You hand %(amount)s back yourself. The patient gets a receipt.")
        field.choices = [("refund", back % said), ("keep", _("The practice keeps %(amount)s.") % said)]


@require_safe
@never_cache
@admin_required
def credits_list(request: HttpRequest) -> HttpResponse:
    """``?q=`` and ``?state=open|all``."""
    practice = Practice.current()
    state = request.GET.get("state", report.OPEN)
    q = request.GET.get("q", "")[:254].replace("\x00", "")
    found = report.listing(q=q, state=state if state == report.ALL else report.OPEN)
    context = {
        "area": "sales",
        "zone": practice.timezone,
        "q": q,
        "state": state,
        "enabled": flags.enabled("credits"),
        "outstanding": report.credits_outstanding(),
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "desk/credits.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def issue(request: HttpRequest) -> HttpResponse:
    """GET asks; POST shows what it will do; POST with ``confirm`` does it, once."""
    initial = {"visit": request.GET.get("visit", "")[:12], "token": secrets.token_urlsafe(16)}
    form = IssueForm(Practice.current().currency, request.POST if request.method == "POST" else None, initial=initial)
    if request.method != "POST":
        return _issue_page(request, form)
    if not form.is_valid() or form.payment is None:
        return _issue_page(request, form, status=422)
    if "confirm" not in request.POST:
        return _issue_page(request, form, review="change" not in request.POST)
    data = form.cleaned_data
    try:
        credit = credits.by_hand(
            payment_id=form.payment.pk,
            amount=data["amount"],
            reason=data["reason"],
            actor=actor_of(request),
            key=f"desk-{data['token']}",
            goodwill=True,
        )
    except BedsideError as error:
        form.add_error(None, error.message)
        return _issue_page(request, form, status=error.status)
    messages.success(request, _("The credit is issued. Its code is on its way by email and text."))
    return _to(credit)


def _issue_page(request: HttpRequest, form: IssueForm, *, review: bool = False, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"area": "sales", "form": form, "enabled": flags.enabled("credits")}
    if review:
        context["amount"] = format_money(form.cleaned_data["amount"])
        context["patient"] = form.cleaned_data["visit"].patient_name
        context["visit"] = form.cleaned_data["visit"].code
        context["days"] = Practice.current().credit_days
    return render(request, "desk/credit_issue.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    """One credit with its moves; POST reverses what is left. Looking is audited: the page shows the code."""
    found = get_object_or_404(Credit.objects.select_related("appointment", "payment__appointment"), pk=pk)
    planned = reverse_credit.preview(found)
    form = ReverseForm(planned, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason, keep = form.cleaned_data["reason"], form.cleaned_data.get("money") == "keep"
        try:
            done = reverse_credit.reverse(credit_id=pk, reason=reason, actor=actor_of(request), keep=keep)
            messages.success(request, _said_of(done))
        except BedsideError as error:
            messages.warning(request, error.message)
        return _to(found)
    if not form.errors:
        audit.record(actor_of(request), "credit.viewed", found.appointment, after={"credit": found.pk})
    entries = list(found.entries.select_related("payment__appointment"))
    people = User.objects.in_bulk({one.actor_id for one in entries if one.actor_id})
    context = {
        "area": "sales",
        "zone": Practice.current().timezone,
        "credit": found,
        "left": planned.left,
        "planned": planned,
        "entries": [(one, str(people.get(one.actor_id or 0, one.actor_kind))) for one in entries],
        "form": form,
    }
    return render(request, "desk/credit.html", context, status=422 if form.errors else 200)


def _said_of(done: reverse_credit.Reversal) -> str:
    said = _("%(amount)s was taken back.") % {"amount": done.left}
    if done.refunded:
        said += " " + _("%(amount)s is on its way to the patient, who is told when it has gone.") % {
            "amount": done.refunded
        }
    elif done.waiting:
        said += " " + _("The bank holds the money: an alert says what to do when it has decided.")
    elif done.kept:
        said += " " + _("The practice keeps %(amount)s. The patient isn't told.") % {"amount": done.kept}
    else:
        said += " " + _("The patient isn't told.")
    return said


def _to(credit: Credit) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk:credit", args=[credit.pk]), status=303)
