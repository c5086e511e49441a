"""Changed meanwhile: what somebody else saved beside what was typed here, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from bedside.core.errors import BedsideError


@dataclass(frozen=True)
class Difference:
    """A field of which the two versions say different things, in words."""

    label: str
    saved: str
    yours: str


def clash(form: forms.BaseForm, saved: Mapping[str, Any], error: BedsideError) -> dict[str, Any]:
    """What the page needs for ``desk/_changed.html``: both versions, and the button saves over the one shown.

    ``saved`` is as the form's ``initial`` would have it, with ``version``. Answer with the error's status.
    """
    context = {"stale": error, "differences": differences(form, saved)}
    decide_over(form, saved["version"])
    return context


def differences(form: forms.BaseForm, saved: Mapping[str, Any]) -> list[Difference]:
    """Of a bound form against the values (as its ``initial`` would have them) that are saved now."""
    found = []
    for bound in form:
        if bound.name == "version":
            continue
        theirs, mine = _said(bound, saved.get(bound.name)), _said(bound, bound.value())
        if theirs != mine:
            found.append(Difference(str(bound.label), theirs, mine))
    return found


def decide_over(form: forms.BaseForm, version: int | str) -> None:
    """Pressing the button again is then a decision: over the version that is shown."""
    assert isinstance(form.data, QueryDict)
    sent = form.data.copy()
    sent["version"] = str(version)
    form.data = sent


def _said(bound: forms.BoundField, value: Any) -> str:
    if isinstance(bound.field, forms.BooleanField):
        return _("Yes") if value else _("No")
    if value is None or value == "" or value == []:
        return _("Nothing")
    choices: Any = bound.field.choices if isinstance(bound.field, forms.ChoiceField) else ()
    names = {str(key): str(name) for key, name in choices}
    if isinstance(value, (list, tuple)):
        return ", ".join(sorted(names.get(str(one), str(one)) for one in value))
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return names.get(str(value), str(value)).replace("\r\n", "\n")
