from typing import Any

from django.apps import AppConfig


class ScheduleConfig(AppConfig):
    name = "bedside.schedule"
    label = "schedule"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from bedside.clinic.models import Provider

        post_save.connect(follow_zone, sender=Provider, dispatch_uid="schedule.follow_zone")


def follow_zone(instance: Any, created: bool, **kwargs: Any) -> None:
    """Whoever changes a provider's zone: the rules are wall-clock times, so the windows move with it."""
    if created:
        return
    from bedside.schedule.jobs import rebuild_soon
    from bedside.schedule.models import AvailabilityState

    built = AvailabilityState.objects.filter(provider_id=instance.pk).exclude(timezone="")
    if built.exclude(timezone=instance.timezone).exists():
        rebuild_soon(instance)
