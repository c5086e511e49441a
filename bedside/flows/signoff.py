"""Sign-off: may this Bedside serve patients? The specification's checklist and the state of its parts, from the data.

Read only, and it asks no vendor: what vendors say was written down by the jobs that asked them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Sum

from bedside.clinic.models import Practice
from bedside.core import clock
from bedside.core.models import Alert
from bedside.flows import close
from bedside.flows.commands import check
from bedside.payments.close_models import DailyClose
from bedside.payments.models import LedgerEntry
from bedside.payments.reconciliation_models import ReconciliationRun, RunStatus
from bedside.reports import reconciliation

OK, NOTE, FAIL = "ok", "note", "FAIL"
QUEUE_PATIENCE = timedelta(minutes=15)
MOST_TOLD = 5


@dataclass(frozen=True)
class Line:
    """One answer: ``state`` is ok, note (worth knowing, no obstacle) or FAIL."""

    state: str
    title: str
    detail: str = ""


def signoff() -> list[Line]:
    """Every answer, the specification's checklist first. Fit for patients when none says FAIL."""
    return [line for ask in (_checklist, _promises, _books, _parts) for line in ask()]


# Each of the checklist's lines, and the rows that would contradict it.
CONTRADICTIONS = {
    "Booking collects name, email, mobile number and the answer about texts": (
        "SELECT code FROM appointments_appointment WHERE status <> 'draft' AND (patient_name_index IS NULL OR "
        "patient_email_index IS NULL OR patient_mobile_index IS NULL OR (sms_consent AND (sms_consent_at IS NULL "
        "OR sms_consent_text = '')))"
    ),
    "Patients and providers get confirmations after payment": (
        "SELECT a.code FROM appointments_appointment a WHERE a.status = 'paid' AND a.\"end\" > %(now)s AND "
        "a.paid_at < %(soon)s AND EXISTS (SELECT 1 FROM unnest(ARRAY['patient', 'provider']) who WHERE NOT EXISTS ("
        "SELECT 1 FROM notifications_notification n WHERE n.appointment_id = a.id AND n.audience = who AND n.channel = "
        "'email' AND n.kind IN ('confirmation', 'rescheduled', 'provider_changed') AND n.sent_at IS NOT NULL))"
    ),
    "Paid visits have their video meeting": (
        "SELECT a.code FROM appointments_appointment a WHERE a.status = 'paid' AND a.start > %(now)s AND a.paid_at < "
        "%(soon)s AND NOT EXISTS (SELECT 1 FROM video_meeting m WHERE m.appointment_id = a.id AND m.status = 'ready')"
    ),
    "Nothing is sent twice": (
        "SELECT min(a.code) FROM notifications_notification n JOIN appointments_appointment a ON a.id = "
        "n.appointment_id WHERE n.sent_at IS NOT NULL AND n.kind <> 'manual' GROUP BY n.appointment_id, n.kind, "
        "n.variant, n.audience, n.channel, n.version HAVING count(*) > 1"
    ),
    "No reminder goes out after a cancellation": (
        "SELECT a.code FROM notifications_notification n JOIN appointments_appointment a ON a.id = n.appointment_id "
        "WHERE n.kind = 'reminder' AND n.sent_at > a.canceled_at + interval '2 minutes'"
    ),
    "Receipts are numbered without gaps": (
        "SELECT count(*) || ' receipts, the last number is ' || coalesce(max(number), 0) FROM payments_receipt "
        "HAVING count(*) <> coalesce(max(number), 0)"
    ),
}


def _checklist() -> Iterator[Line]:
    now = clock.now()
    for title, query in CONTRADICTIONS.items():
        with connection.cursor() as cursor:
            cursor.execute(query, {"now": now, "soon": now - timedelta(minutes=10)})
            found = [str(row[0]) for row in cursor.fetchall()]
        yield _verdict(title, found)


def _verdict(title: str, found: list[str]) -> Line:
    more = f" and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return Line(FAIL if found else OK, title, ", ".join(found[:MOST_TOLD]) + more)


def _promises() -> Iterator[Line]:
    yield _verdict("The four promises hold in the database (bedside check)", check())


def _books() -> Iterator[Line]:
    """Totals are accurate for any days: closes are the ledger, and the ledger is the processor."""
    closed = DailyClose.objects.aggregate(last=Max("practice_day"), net=Sum("net_minor"))
    if closed["last"] is not None:
        sales = LedgerEntry.objects.filter(
            practice_day__lte=closed["last"], kind__in=["charge", "refund", "refund_failed"]
        )
        net = sales.aggregate(net=Sum("amount_minor"))["net"] or 0
        differ = [] if net == closed["net"] else [f"closes {closed['net']}, ledger {net} minor units"]
        yield _verdict("Closed days add up to the ledger", differ)
    due = close.due_days() if Practice.objects.filter(pk=1).exists() else []
    behind = [f"{len(due)} days wait, the first is {due[0]}"] if due else []
    yield Line(NOTE if behind else OK, "Every day that is over is closed", "".join(behind))
    yield from _reconciled()


def _reconciled() -> Iterator[Line]:
    last = ReconciliationRun.objects.exclude(status__in=[RunStatus.RUNNING, RunStatus.FAILED]).order_by("-pk").first()
    if last is None:
        yield Line(NOTE, "The ledger was compared with the processor", "not yet: bedside reconcile")
        return
    old = clock.now() - last.started_at > timedelta(days=2)
    detail = f"last on {last.started_at:%Y-%m-%d}, {last.first} to {last.last}"
    yield Line(NOTE if old else OK, "The ledger was compared with the processor", detail)
    count = reconciliation.open_count()
    told = [f"{count} objects differ; see Sales, Reconciliation, or bedside reconcile"] if count else []
    yield _verdict("The ledger and the processor agree", told)


def _parts() -> Iterator[Line]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield _verdict("The database is up to date", [f"{migration.app_label}.{migration.name}" for migration, _ in plan])
    yield from _queue()
    alerts = [f"{one.kind} ({one.key})" for one in Alert.objects.filter(resolved_at=None).order_by("-last_raised_at")]
    line = _verdict("No alert waits for somebody", alerts)
    yield Line(NOTE if alerts else OK, line.title, line.detail)
    yield from _vendors()


def _queue() -> Iterator[Line]:
    since = clock.machine_time(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, %s) < %s",
            [since, since - QUEUE_PATIENCE],
        )
        waiting = cursor.fetchone()[0]
        cursor.execute("SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'failed' GROUP BY 1")
        failed = [f"{name} ({count})" for name, count in cursor.fetchall()]
    overdue = [f"{waiting} jobs are overdue: is a worker running?"] if waiting else []
    yield _verdict("Jobs run when they are due", overdue)
    told = _verdict("No job has failed for good", failed)
    yield Line(NOTE if failed else OK, told.title, told.detail)


def _vendors() -> Iterator[Line]:
    if settings.SANDBOX:
        yield Line(NOTE, "Vendors", "this is the sandbox: no card is charged, no message leaves, no meeting is real")
        return
    has: Callable[[str], str] = settings.ENV.secret
    parts = {
        "Payments (Stripe)": ("stripe_api_key", "stripe_webhook_secret"),
        "Texts (Twilio)": ("twilio_account_sid", "twilio_auth_token"),
        "Meetings (Zoom)": ("zoom_account_id", "zoom_client_id", "zoom_client_secret", "zoom_webhook_secret"),
        "Email": ("email_url",),
    }
    for title, names in parts.items():
        yield _verdict(f"{title} is configured", [f"BEDSIDE_{name.upper()}" for name in names if not has(name)])
