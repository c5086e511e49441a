"""Addresses of phone bookings, refunds, payments at the desk and credits; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import by_phone, credits, payment_terms, payments, refunds

urlpatterns = [
    path("appointments/new", by_phone.new, name="new_appointment"),
    path("appointments/<str:code>/refund", refunds.refund_payment, name="refund"),
    path("appointments/<str:code>/payment", payments.record, name="record_payment"),
    path("appointments/<str:code>/payment-link", payments.send_link, name="payment_link"),
    path("settings/payments", payment_terms.terms, name="payment_terms"),
    path("sales/credits", credits.credits_list, name="credits"),
    path("sales/credits/new", credits.issue, name="credit_issue"),
    path("sales/credits/<int:pk>", credits.credit, name="credit"),
]
