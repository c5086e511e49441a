"""A row for each feature flag, so that every practice starts from the same state."""

from django.db import migrations

FLAGS = {"partial-refunds": True, "credits": True, "promo-codes": True, "provider-availability": False}


def make_flags(apps, schema_editor):
    flag = apps.get_model("waffle", "Flag")
    for name, everyone in FLAGS.items():
        flag.objects.get_or_create(name=name, defaults={"everyone": everyone})


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial"), ("waffle", "0004_update_everyone_nullbooleanfield")]
    operations = [migrations.RunPython(make_flags, migrations.RunPython.noop)]
