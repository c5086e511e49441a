from django.apps import AppConfig


class PricesConfig(AppConfig):
    name = "bedside.clinic.prices"
    label = "prices"
