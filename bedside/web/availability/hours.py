"""The week grid: hours that are typed, with buttons that add and take away, without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.clinic.models import Provider
from bedside.flows import availability
from bedside.schedule.errors import ChangedMeanwhile
from bedside.schedule.facts import as_rule
from bedside.schedule.models import WeeklyRule
from bedside.schedule.rules import Limit
from bedside.web.availability.editing import carry_out, frame, seen_version
from bedside.web.availability.groups import Group, Terms, groups_of
from bedside.web.availability.place import Place
from bedside.web.availability.reading import NotHours, read_hours, write_all, write_hours
from bedside.web.stale import Difference, differences

MOST_A_DAY = 12
_DATE = {"type": "date"}


class TermsForm(forms.Form):
    """When and for whom the hours hold."""

    valid_from = forms.DateField(
        label=gettext_lazy("First day"), required=False, widget=forms.DateInput(attrs=_DATE, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Last day"), required=False, widget=forms.DateInput(attrs=_DATE, format="%Y-%m-%d")
    )
    every_weeks = forms.IntegerField(
        label=gettext_lazy("Every how many weeks"),
        min_value=1,
        max_value=52,
        initial=1,
        error_messages={"required": gettext_lazy("Write 1 for every week.")},
    )
    anchor = forms.DateField(
        label=gettext_lazy("A day in a week in which they hold"),
        help_text=gettext_lazy("Needed only when it isn't every week."),
        required=False,
        widget=forms.DateInput(attrs=_DATE, format="%Y-%m-%d"),
    )
    services = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Only for these services"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    locations = forms.CharField(
        label=gettext_lazy("Only for patients in"),
        help_text=gettext_lazy("Codes with commas between, such as US-NY, US-NJ. Empty: anywhere."),
        max_length=200,
        required=False,
    )

    def __init__(self, provider: Provider, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = [(service.pk, service.name) for service in provider.services.all()]
        self.fields["services"].choices = chosen  # type: ignore[attr-defined]

    def clean_locations(self) -> tuple[str, ...]:
        codes = {code.strip().upper() for code in str(self.cleaned_data["locations"]).split(",")}
        return tuple(sorted(codes - {""}))

    def terms(self) -> Terms:
        """Of a valid form."""
        said = self.cleaned_data
        every = said["every_weeks"]
        limit = Limit(tuple(sorted(said["services"])), said["locations"])
        return Terms(said["valid_from"], said["valid_until"], every, said["anchor"] if every > 1 else None, limit)


@dataclass
class Day:
    """One weekday's row: what stands in its inputs, and what is wrong with it."""

    number: int
    texts: list[str] = field(default_factory=list)
    error: str = ""
    focus: int | None = None

    @property
    def name(self) -> str:
        return str(WEEKDAYS[self.number])

    @property
    def anchor(self) -> str:
        """The id of what to go to from an error."""
        return f"hours-{self.number}-1" if self.texts else f"add-{self.number}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [{"n": n + 1, "at": n, "text": text, "focus": n == self.focus} for n, text in enumerate(self.texts)]

    @property
    def can_grow(self) -> bool:
        return len(self.texts) < MOST_A_DAY


def hours(request: HttpRequest, place: Place, which: str) -> HttpResponse:
    """``which`` is the number of a set of hours, or "new"."""
    rules = [as_rule(row) for row in WeeklyRule.objects.filter(provider=place.provider)]
    groups = groups_of(rules)
    group = _chosen(groups, which)
    if request.method != "POST":
        form = TermsForm(place.provider, initial=_initial(group))
        return _page(request, place, which, form, _days_of(group))
    do = request.POST.get("do", "")
    form, days = TermsForm(place.provider, request.POST), _days_posted(request.POST)
    if do.startswith(("add-", "remove-")) or do == "edit":
        _press(days, do)
        return _page(request, place, which, TermsForm(place.provider, initial=_typed(request.POST)), days)
    made = Group(Terms() if do == "clear" else Terms(*_terms_of(form)))
    if do != "clear" and request.POST.get("cleared") != "1":
        made.hours = _read(days)
        if not form.is_valid() or any(day.error for day in days):
            return _page(request, place, which, form, days, status=422)
    others = [rule for other in groups if other is not group for rule in other.rules()]
    return _save(request, place, which, form, days, [*others, *made.rules()])


def _save(
    request: HttpRequest, place: Place, which: str, form: TermsForm, days: list[Day], rules: list[Any]
) -> HttpResponse:
    version = seen_version(request)

    def edit(preview: bool) -> availability.Change:
        return availability.set_weekly_hours(
            provider_id=place.provider.pk, rules=rules, actor=place.actor, version=version, preview=preview
        )

    def show_errors(errors: dict[str, Any]) -> HttpResponse:
        for name, message in errors.items():
            if name.startswith("day-"):
                days[int(name[4:])].error = message
            else:
                form.add_error(name if name in form.fields else None, message)
        return _page(request, place, which, form, days, status=422)

    def show_conflict(error: ChangedMeanwhile) -> HttpResponse:
        return _page(request, place, which, form, days, stale=error, status=error.status)

    clears = request.POST.get("do") == "clear" or request.POST.get("cleared") == "1"
    also = [("cleared", "1")] if request.POST.get("do") == "clear" else []
    said = _("Change the weekly hours of %(name)s?") % {"name": place.provider.name}
    done = _("The weekly hours are saved.")
    return carry_out(
        request,
        place,
        edit,
        question=said,
        done=done,
        show_errors=show_errors,
        show_conflict=None if clears else show_conflict,
        also=also,
    )


def _page(
    request: HttpRequest,
    place: Place,
    which: str,
    form: TermsForm,
    days: list[Day],
    *,
    status: int = 200,
    stale: ChangedMeanwhile | None = None,
) -> HttpResponse:
    context = frame(place, form=form, days=days, is_new=which == "new")
    context["problems"] = [(day.anchor, day) for day in days if day.error]
    if stale:
        # Sent again it is a decision, over the hours that are shown.
        context |= {"stale": stale, "differences": [] if which == "new" else _differences(place, which, form, days)}
    elif request.method == "POST":
        # What the person saw first: whoever was quicker since is still noticed.
        context["version"] = request.POST.get("version", "")
    return render(request, "availability/hours.html", context, status=status)


def _differences(place: Place, which: str, form: TermsForm, days: list[Day]) -> list[Difference]:
    """Between the hours that are saved now and those that were typed, by weekday and term."""
    group = _chosen(groups_of([as_rule(row) for row in WeeklyRule.objects.filter(provider=place.provider)]), which)
    mine = _read(days)
    found = []
    for saved in _days_of(group):
        theirs, yours = ", ".join(saved.texts), write_all(mine.get(saved.number, []))
        if theirs != yours:
            found.append(Difference(saved.name, theirs or _("Closed"), yours or _("Closed")))
    return found + differences(form, _initial(group))


def _chosen(groups: list[Group], which: str) -> Group | None:
    if which == "new":
        return None
    if not which.isascii() or not which.isdigit() or not 1 <= int(which[:4]) <= len(groups):
        raise Http404
    return groups[int(which[:4]) - 1]


def _initial(group: Group | None) -> dict[str, Any]:
    terms = group.terms if group else Terms()
    return terms._asdict() | {"services": list(terms.limit.services), "locations": ", ".join(terms.limit.locations)}


def _typed(posted: QueryDict) -> dict[str, Any]:
    """What stands in the fields, unjudged: a button that adds a row is no time for errors."""
    return {name: posted.get(name, "") for name in TermsForm.base_fields} | {"services": posted.getlist("services")}


def _terms_of(form: TermsForm) -> Terms:
    return form.terms() if form.is_valid() else Terms()


def _days_of(group: Group | None) -> list[Day]:
    known = group.hours if group else {}
    return [Day(n, [write_hours(pair) for pair in sorted(known.get(n, []))]) for n in range(7)]


def _days_posted(posted: QueryDict) -> list[Day]:
    return [Day(n, [text[:100] for text in posted.getlist(f"hours-{n}")[: MOST_A_DAY + 1]]) for n in range(7)]


def _press(days: list[Day], do: str) -> None:
    """``add-0`` gives Monday an empty row, ``remove-0-1`` takes its second away."""
    parts = do.split("-")
    if len(parts) < 2 or parts[1] not in {"0", "1", "2", "3", "4", "5", "6"}:
        return
    day = days[int(parts[1])]
    if parts[0] == "add" and day.can_grow:
        day.texts.append("")
        day.focus = len(day.texts) - 1
    elif parts[0] == "remove" and len(parts) == 3 and parts[2].isascii() and parts[2].isdigit():
        at = int(parts[2][:3])
        if at < len(day.texts):
            del day.texts[at]
            day.focus = min(at, len(day.texts) - 1)


def _read(days: list[Day]) -> dict[int, list[Any]]:
    """What the rows say; a row that can't be read marks its day."""
    read: dict[int, list[Any]] = {}
    for day in days:
        for text in day.texts:
            try:
                read.setdefault(day.number, []).extend(read_hours(text))
            except NotHours as error:
                day.error = _("“%(text)s” can't be read as hours. Write them like 9:00–12:30.") % {"text": error}
    return read
