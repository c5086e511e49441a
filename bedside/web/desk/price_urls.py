"""Addresses of promo codes, taxes and the waitlist; part of the desk's."""

from __future__ import annotations

from django.urls import path

from bedside.web.desk import promo_codes, taxes, waitlist

urlpatterns = [
    path("waitlist", waitlist.index, name="waitlist"),
    path("catalogue/promo-codes", promo_codes.index, name="promo_codes"),
    path("catalogue/promo-codes/new", promo_codes.new, name="promo_new"),
    path("catalogue/promo-codes/<slug:slug>", promo_codes.show, name="promo_code"),
    path("catalogue/promo-codes/<slug:slug>/edit", promo_codes.edit, name="promo_edit"),
    path("catalogue/promo-codes/<slug:slug>/archive", promo_codes.archive, name="promo_archive"),
    path("catalogue/taxes", taxes.index, name="taxes"),
    path("catalogue/taxes/new", taxes.new, name="tax_new"),
    path("catalogue/taxes/<int:pk>", taxes.edit, name="tax"),
    path("catalogue/taxes/<int:pk>/archive", taxes.archive, name="tax_archive"),
]
