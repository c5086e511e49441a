"""Addresses of what is done to many rows at once: bulk runs, exports and their dictionary; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import bulk, bulk_runs, dictionary, export

urlpatterns = [
    path("exports", export.exports, name="exports"),
    path("exports/download", export.download, name="export_download"),
    path("appointments.csv", export.download, {"what": "appointments"}, name="export"),
    path("bulk", bulk_runs.runs, name="bulk_runs"),
    path("bulk/choose", bulk.choose, name="bulk_choose"),
    path("bulk/start", bulk.start, name="bulk_start"),
    path("bulk/<int:run>", bulk_runs.run_page, name="bulk_run"),
    path("bulk/<int:run>/cancel", bulk_runs.cancel, name="bulk_cancel"),
    path("bulk/<int:run>/download", bulk_runs.download, name="bulk_download"),
    path("data-dictionary", dictionary.page, name="data_dictionary"),
    path("data-dictionary.csv", dictionary.file, name="data_dictionary_csv"),
]
