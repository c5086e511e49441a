"""Saved views of the list: kept under a name, renamed, deleted after asking."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from bedside.accounts.models import User
from bedside.flows import saved_views
from bedside.flows.saved_views import NameRefused
from bedside.reports.models import SavedView
from bedside.web.access import actor_of, admin_required
from bedside.web.desk.filters import ListForm


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Give it a name of at most 60 characters.")},
    )


class ViewForm(NameForm):
    shared = forms.BooleanField(label=gettext_lazy("Everybody at the desk sees it"), required=False)


@require_safe
@never_cache
@admin_required
def index(request: HttpRequest) -> HttpResponse:
    """All that the person sees, with what each asks for."""
    return render(request, "desk/views.html", {"area": "appointments", "views": saved_views.of(_user(request))})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def new(request: HttpRequest) -> HttpResponse:
    """The filters are the address's, as on the list."""
    asked = ListForm(request.GET)
    if not asked.is_valid():
        return HttpResponseRedirect(f"{reverse('desk:appointments')}?{request.GET.urlencode()}")
    form = ViewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            view = saved_views.save(
                name=values["name"], query=asked.query, shared=values["shared"], user=_user(request),
                actor=actor_of(request),
            )  # fmt: skip
        except NameRefused as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("Saved as “%(name)s”.") % {"name": view.name})
            return HttpResponseRedirect(f"{reverse('desk:appointments')}?{view.query}", status=303)
    context = _context(form, asked.query) | {"searched": bool(asked.filters.q)}
    return render(request, "desk/view_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    view = _find(request, pk)
    form = NameForm(request.POST or None, initial={"name": view.name})
    if request.method == "POST" and form.is_valid():
        try:
            saved_views.rename(view=view, name=form.cleaned_data["name"], actor=actor_of(request))
        except NameRefused as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("Renamed."))
            return redirect("desk:views")
    context = _context(form, view.query) | {"view": view}
    return render(request, "desk/view_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admin_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, then deletes."""
    view = _find(request, pk)
    if request.method == "POST":
        saved_views.delete(view=view, actor=actor_of(request))
        messages.success(request, _("Deleted. No appointment was touched."))
        return redirect("desk:views")
    return render(request, "desk/view_delete.html", {"area": "appointments", "view": view, "asks": told(view.query)})


def _user(request: HttpRequest) -> User:
    """Who is signed in: nobody else comes this far."""
    assert isinstance(request.user, User)
    return request.user


def _find(request: HttpRequest, pk: int) -> SavedView:
    view = saved_views.of(_user(request)).filter(pk=pk).first()
    if view is None:
        raise Http404
    return view


def _context(form: forms.Form, query: str) -> dict[str, Any]:
    return {"area": "appointments", "form": form, "asks": told(query), "query": query}


def told(query: str) -> list[tuple[str, str]]:
    """What a query asks for, in words: label and value of each field that is set."""
    data = QueryDict(query)
    form = ListForm(data)
    found = []
    for name, field in form.fields.items():
        value = data.get(name, "")
        if value:
            choices = dict(getattr(field, "choices", ()))
            found.append((str(field.label), str(choices.get(value, value))))
    return found
