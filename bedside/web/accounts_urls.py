from django.urls import include, path

from bedside.web import accounts, claim

urlpatterns = [
    path("where/", accounts.where, name="account_where"),
    path("claim/<str:key>", claim.claim, name="account_claim"),
    path("join/<str:key>", claim.join, name="account_join"),
    path("", include("allauth.urls")),
]
