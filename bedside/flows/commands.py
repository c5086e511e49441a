"""What an operator runs: ``bedside check``, ``bedside rebuild-windows`` and ``bedside rotate-keys``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.apps import apps
from django.db import connection, models, transaction

from bedside.clinic.models import Provider
from bedside.core.crypto import key_id_of, keyring
from bedside.core.fields import EncryptedTextField
from bedside.reports import takings
from bedside.schedule.jobs import rebuild_each
from bedside.schedule.rebuild import verify_windows

Problem = str


def check() -> list[Problem]:
    """Every promise, looked up in the database. An empty list means that all of them hold."""
    problems: list[Problem] = [str(difference) for difference in verify_windows()]
    for title, query in CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(query)
            problems += [f"{title}: {row[0]}" for row in cursor.fetchall()]
    problems += [f"The desk's figures and the ledger differ: {key}" for key in takings.differences()]
    return problems


CHECKS = {
    "Two appointments hold the same time": (
        "SELECT a.code || ' and ' || b.code FROM appointments_appointment a JOIN appointments_appointment b "
        "ON a.provider_id = b.provider_id AND a.id < b.id AND a.blocked && b.blocked "
        "WHERE a.status IN ('pending_payment','paid','completed','no_show') "
        "AND b.status IN ('pending_payment','paid','completed','no_show')"
    ),
    "The ledger and the payment differ": (
        "SELECT 'payment ' || p.id FROM payments_payment p LEFT JOIN "
        "(SELECT payment_id, sum(amount_minor) FILTER (WHERE kind = 'charge') AS charged, "
        "-sum(amount_minor) FILTER (WHERE kind IN ('refund','refund_failed')) AS refunded FROM payments_ledgerentry "
        "GROUP BY payment_id) l ON l.payment_id = p.id WHERE p.captured_minor <> coalesce(l.charged, 0) "
        "OR coalesce(l.refunded, 0) > p.refunded_minor"
    ),
    "The credits and the ledger differ": (
        "SELECT 'credits: ' || e.sum || ' in the entries, ' || l.sum || ' in the ledger' FROM "
        "(SELECT coalesce(sum(amount_minor), 0) AS sum FROM payments_creditentry) e, "
        "(SELECT -coalesce(sum(amount_minor), 0) AS sum FROM payments_ledgerentry WHERE left(kind, 7) = 'credit_') l "
        "WHERE e.sum <> l.sum"
    ),
    "A paid visit without captured money": (
        "SELECT a.code FROM appointments_appointment a WHERE a.status = 'paid' AND a.rescheduled_from_id IS NULL "
        "AND a.price_minor > 0 AND NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.appointment_id = a.id "
        "AND (p.captured_minor > 0 OR p.credit_minor > 0 OR p.method = 'waived'))"
    ),
    "A paid visit without its confirmation": (
        "SELECT a.code FROM appointments_appointment a WHERE a.status = 'paid' AND NOT EXISTS (SELECT 1 FROM "
        "notifications_notification n WHERE n.appointment_id = a.id AND "
        "n.kind IN ('confirmation','rescheduled','provider_changed'))"
    ),
}


def rebuild_all_windows(report: Callable[[str], None] = lambda line: None) -> tuple[int, int]:
    """Everybody's open windows anew, for example after an update of the zone database. (Providers, those who failed.)

    Who fails keeps the last good windows, raises an alert, and is tried again by the worker.
    """
    providers = Provider.objects.filter(active=True)
    built = 0
    for provider, changed in rebuild_each(providers):
        built += 1
        if changed:
            report(f"{provider.slug}: changed")
    return built, providers.count() - built


def rotate_keys(report: Callable[[str], None] = lambda line: None) -> int:
    """Seal every value anew that an older key sealed. Returns how many rows changed; safe to stop and run again.

    Put the new key into the key file first (a new id in ``encryption_keys``, and ``primary_key_id`` set to it), and
    take the old one out only after this has run and the backups that need it are gone.
    """
    primary = keyring().primary
    changed = 0
    for model, fields in sealed_models():
        count = 0
        for row_id in list(model._default_manager.values_list("pk", flat=True)):
            count += _reseal(model, fields, row_id, primary)
        report(f"{model._meta.label}: {count} rows sealed anew")
        changed += count
    return changed


def sealed_models() -> Iterator[tuple[type[models.Model], list[EncryptedTextField]]]:
    """Every model that has sealed fields. Append-only tables keep their old key: their rows can't be changed."""
    for model in apps.get_models():
        fields = [field for field in model._meta.local_fields if isinstance(field, EncryptedTextField)]
        append_only = any(trigger.name == "append_only" for trigger in getattr(model._meta, "triggers", []))
        if fields and not append_only:
            yield model, fields


def _reseal(model: type[models.Model], fields: list[EncryptedTextField], row_id: int | str, primary: int) -> int:
    table, key = connection.ops.quote_name(model._meta.db_table), model._meta.pk.column
    columns = [str(field.column) for field in fields]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = %s FOR UPDATE",  # noqa: S608  # names from models
            [row_id],
        )
        row = cursor.fetchone()
        if row is None:
            return 0
        stale = {
            field: keyring().decrypt(bytes(value), field.context)
            for field, value in zip(fields, row, strict=True)
            if value is not None and key_id_of(value) != primary
        }
        for field, plaintext in stale.items():
            cursor.execute(
                f"UPDATE {table} SET {field.column} = %s WHERE {key} = %s",  # noqa: S608
                [keyring().encrypt(plaintext, field.context), row_id],
            )
    return 1 if stale else 0
