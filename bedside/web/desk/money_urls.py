"""Addresses of receipts, sales, the daily close and reconciliation; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import (
    billing,
    days,  # noqa: F401  # its import makes <practice_day:day> known
    metrics,
    receipts,
    reconciliation,
    sales,
)

urlpatterns = [
    path("appointments/<str:code>/receipts", receipts.show, name="receipts"),
    path("appointments/<str:code>/receipts/codes", receipts.codes, name="receipt_codes"),
    path("appointments/<str:code>/receipts/<int:number>.pdf", receipts.pdf, name="receipt_pdf"),
    path("appointments/<str:code>/receipts/<int:number>/send", receipts.send, name="receipt_send"),
    path("billing", billing.show, name="billing"),
    path("metrics", metrics.show, name="metrics"),
    path("metrics.csv", metrics.file, name="metrics_csv"),
    path("sales", sales.show, name="sales"),
    path("sales/refunds", sales.refunds, name="sales_refunds"),
    path("sales/closes", sales.closes, name="closes"),
    path("sales/closes/<practice_day:day>", sales.close, name="close"),
    path("sales/reconciliation", reconciliation.show, name="reconciliation"),
    path("sales/reconciliation/compare", reconciliation.compare, name="reconciliation_compare"),
    path("sales/reconciliation/<int:pk>", reconciliation.resolve, name="mismatch"),
    path("sales/reconciliation/<int:pk>/again", reconciliation.look_again, name="mismatch_again"),
]
