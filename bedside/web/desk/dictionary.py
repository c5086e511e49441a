"""The data dictionary at the desk, as a page and as a file."""

from __future__ import annotations

import csv

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bedside.clinic.models import Practice
from bedside.reports.export import cells, dictionary
from bedside.web.access import admin_required


@require_safe
@never_cache
@admin_required
def page(request: HttpRequest) -> HttpResponse:
    context = {
        "area": "exports",
        "exported": dictionary.exported(Practice.current()),
        "stored": dictionary.stored(),
    }
    return render(request, "desk/data_dictionary.html", context)


@require_safe
@never_cache
@admin_required
def file(request: HttpRequest) -> HttpResponse:
    """One line for each column. It says nothing about anybody, so it isn't audited."""
    response = HttpResponse(content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = 'attachment; filename="data-dictionary.csv"'
    writer = csv.writer(response)
    writer.writerow(dictionary.HEAD)
    for chapter in (*dictionary.exported(Practice.current()), *dictionary.stored()):
        writer.writerows([cells.safe(cell) for cell in entry.cells()] for entry in chapter.entries)
    return response
