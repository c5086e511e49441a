from django.apps import AppConfig


class WaitingConfig(AppConfig):
    name = "bedside.schedule.waiting"
    label = "waiting"
