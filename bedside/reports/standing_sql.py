"""The triggers that keep `Standing` and `Takings`, as SQL for migrations.

They run when a transaction commits (deferred), so that a standing is the last thing it locks: whoever waits for one
holds nothing that its holder still wants. Takings are only ever inserted. In tests, whose transactions never commit,
they run at once (``AT_ONCE``).
"""

SALES = "('charge', 'refund', 'refund_failed')"

FUNCTIONS = """
CREATE OR REPLACE FUNCTION reports_practice_day(instant timestamptz) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (instant AT TIME ZONE coalesce((SELECT timezone FROM clinic_practice WHERE id = 1), 'UTC'))::date
$$;

CREATE OR REPLACE FUNCTION reports_appointment_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM reports_standing WHERE appointment_id = OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO reports_standing (appointment_id, start, created_at, visit_day, service_id, provider_id, status,
                currency, listed, payment_status, paid_minor, returned_minor, gross_minor, refunds_minor, charges,
                lines)
            VALUES (NEW.id, NEW.start, NEW.created_at, reports_practice_day(NEW.start), NEW.service_id, NEW.provider_id,
                NEW.status, NEW.currency, true, '', 0, 0, 0, 0, 0, '{}');
    ELSE
        UPDATE reports_standing SET start = NEW.start, created_at = NEW.created_at, service_id = NEW.service_id,
                visit_day = reports_practice_day(NEW.start), provider_id = NEW.provider_id, status = NEW.status
            WHERE appointment_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION reports_recount(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM reports_standing WHERE appointment_id = wanted FOR UPDATE;
    -- A statement of its own: it sees what was committed while the lock was waited for.
    UPDATE reports_standing SET payment_status = coalesce(latest.status, ''),
            paid_minor = coalesce(latest.captured_minor, 0), returned_minor = coalesce(latest.refunded_minor, 0),
            paid_first = spread.first, paid_last = spread.last
        FROM (SELECT min(succeeded_at) AS first, max(succeeded_at) AS last, max(id) AS id
              FROM payments_payment WHERE appointment_id = wanted) AS spread
        LEFT JOIN payments_payment AS latest ON latest.id = spread.id
        WHERE reports_standing.appointment_id = wanted;
END $$;

CREATE OR REPLACE FUNCTION reports_payment_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND (TG_OP = 'DELETE' OR OLD.appointment_id <> NEW.appointment_id) THEN
        PERFORM reports_recount(OLD.appointment_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM reports_recount(NEW.appointment_id);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION reports_line_written() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at reports_standing%ROWTYPE;
    charged bigint := CASE WHEN NEW.kind = 'charge' THEN NEW.amount_minor ELSE 0 END;
    refunded bigint := CASE WHEN NEW.kind = 'charge' THEN 0 ELSE -NEW.amount_minor END;
    is_charge integer := (NEW.kind = 'charge')::integer;
    is_first boolean;
BEGIN
    SELECT * INTO STRICT at FROM reports_standing WHERE appointment_id = NEW.appointment_id FOR UPDATE;
    SELECT NOT EXISTS (SELECT 1 FROM payments_ledgerentry WHERE id = ANY (at.lines) AND kind = 'charge'
        AND currency = NEW.currency) INTO is_first;
    UPDATE reports_standing SET lines = lines || NEW.id, charges = charges + is_charge,
            gross_minor = gross_minor + CASE WHEN currency = NEW.currency THEN charged ELSE 0 END,
            refunds_minor = refunds_minor + CASE WHEN currency = NEW.currency THEN refunded ELSE 0 END
        WHERE appointment_id = NEW.appointment_id;
    INSERT INTO reports_takings (basis, day, service_id, status, payment_status, currency, gross_minor, refunds_minor,
            paid, folded)
        VALUES ('payment', NEW.practice_day, at.service_id, at.status, at.payment_status, NEW.currency, charged,
                refunded, is_charge, false),
            ('visit', at.visit_day, at.service_id, at.status, at.payment_status, NEW.currency, charged,
                refunded, CASE WHEN is_first THEN is_charge ELSE 0 END, false);
    RETURN NULL;
END $$;

-- Only lines that were counted move; one that is still to be counted goes to the new place by itself.
CREATE OR REPLACE FUNCTION reports_standing_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_takings (basis, day, service_id, status, payment_status, currency, gross_minor, refunds_minor,
            paid, folded)
        SELECT line.basis, coalesce(line.day, side.visit_day), side.service_id, side.status, side.payment_status,
                line.currency, sign * line.gross, sign * line.refunds, sign * line.paid, false
            FROM (VALUES (-1, OLD.visit_day, OLD.service_id, OLD.status, OLD.payment_status),
                         (1, NEW.visit_day, NEW.service_id, NEW.status, NEW.payment_status))
                AS side (sign, visit_day, service_id, status, payment_status),
            (SELECT basis, CASE WHEN basis = 'payment' THEN practice_day END AS day, currency,
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'charge'), 0) AS gross,
                    -coalesce(sum(amount_minor) FILTER (WHERE kind <> 'charge'), 0) AS refunds,
                    CASE WHEN basis = 'payment' THEN count(*) FILTER (WHERE kind = 'charge')
                        ELSE (count(*) FILTER (WHERE kind = 'charge') > 0)::integer END AS paid
                FROM payments_ledgerentry, (VALUES ('visit'), ('payment')) AS bases (basis)
                WHERE id = ANY (OLD.lines) GROUP BY 1, 2, 3) AS line;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION reports_offer_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reports_standing SET listed = false WHERE appointment_id = NEW.draft_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION reports_zone_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reports_standing SET visit_day = (start AT TIME ZONE NEW.timezone)::date
        WHERE visit_day <> (start AT TIME ZONE NEW.timezone)::date;
    RETURN NULL;
END $$;
"""

TRIGGERS = f"""
CREATE TRIGGER reports_appointment_new AFTER INSERT OR DELETE ON appointments_appointment
    FOR EACH ROW EXECUTE FUNCTION reports_appointment_written();
CREATE CONSTRAINT TRIGGER reports_appointment_changed
    AFTER UPDATE OF start, created_at, service_id, provider_id, status ON appointments_appointment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.start, OLD.created_at, OLD.service_id, OLD.provider_id, OLD.status)
        IS DISTINCT FROM (NEW.start, NEW.created_at, NEW.service_id, NEW.provider_id, NEW.status))
    EXECUTE FUNCTION reports_appointment_written();
CREATE CONSTRAINT TRIGGER reports_payment_new AFTER INSERT OR DELETE ON payments_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reports_payment_written();
CREATE CONSTRAINT TRIGGER reports_payment_changed
    AFTER UPDATE OF appointment_id, status, captured_minor, refunded_minor, succeeded_at ON payments_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.appointment_id, OLD.status, OLD.captured_minor, OLD.refunded_minor, OLD.succeeded_at) IS DISTINCT FROM
        (NEW.appointment_id, NEW.status, NEW.captured_minor, NEW.refunded_minor, NEW.succeeded_at))
    EXECUTE FUNCTION reports_payment_written();
CREATE CONSTRAINT TRIGGER reports_line_new AFTER INSERT ON payments_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind IN {SALES}) EXECUTE FUNCTION reports_line_written();
CREATE TRIGGER reports_standing_changed AFTER UPDATE ON reports_standing FOR EACH ROW
    WHEN (OLD.lines <> '{{}}' AND (OLD.visit_day, OLD.service_id, OLD.status, OLD.payment_status)
        IS DISTINCT FROM (NEW.visit_day, NEW.service_id, NEW.status, NEW.payment_status))
    EXECUTE FUNCTION reports_standing_moved();
CREATE CONSTRAINT TRIGGER reports_offer_new AFTER INSERT ON waiting_waitlistoffer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reports_offer_written();
CREATE CONSTRAINT TRIGGER reports_zone AFTER UPDATE OF timezone ON clinic_practice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone) EXECUTE FUNCTION reports_zone_changed();
"""
AT_ONCE = (
    "SET CONSTRAINTS reports_appointment_changed, reports_payment_new, reports_payment_changed, reports_line_new, "
    "reports_offer_new, reports_zone IMMEDIATE"
)

# From the tables that are the truth: after an upgrade, and wherever rows were written with triggers off.
REBUILD = f"""
DELETE FROM reports_takings;
DELETE FROM reports_standing;
INSERT INTO reports_standing (appointment_id, start, created_at, visit_day, service_id, provider_id, status, currency,
        listed, payment_status, paid_minor, returned_minor, paid_first, paid_last, gross_minor, refunds_minor, charges,
        lines)
    SELECT a.id, a.start, a.created_at,
            (a.start AT TIME ZONE coalesce((SELECT timezone FROM clinic_practice WHERE id = 1), 'UTC'))::date,
            a.service_id, a.provider_id, a.status, a.currency,
            NOT EXISTS (SELECT 1 FROM waiting_waitlistoffer o WHERE o.draft_id = a.id),
            coalesce(latest.status, ''), coalesce(latest.captured_minor, 0), coalesce(latest.refunded_minor, 0),
            spread.first, spread.last, coalesce(sold.gross, 0), coalesce(sold.refunds, 0), coalesce(sold.charges, 0),
            coalesce(sold.lines, '{{}}')
        FROM appointments_appointment a
        LEFT JOIN (SELECT appointment_id, min(succeeded_at) AS first, max(succeeded_at) AS last, max(id) AS id
            FROM payments_payment GROUP BY appointment_id) AS spread ON spread.appointment_id = a.id
        LEFT JOIN payments_payment AS latest ON latest.id = spread.id
        LEFT JOIN (SELECT l.appointment_id, array_agg(l.id) AS lines,
                coalesce(sum(l.amount_minor) FILTER (WHERE l.kind = 'charge' AND l.currency = b.currency), 0) AS gross,
                -coalesce(sum(l.amount_minor) FILTER (WHERE l.kind <> 'charge' AND l.currency = b.currency), 0)
                    AS refunds,
                count(*) FILTER (WHERE l.kind = 'charge') AS charges
            FROM payments_ledgerentry l JOIN appointments_appointment b ON b.id = l.appointment_id
            WHERE l.kind IN {SALES} GROUP BY l.appointment_id) AS sold ON sold.appointment_id = a.id;
INSERT INTO reports_takings (basis, day, service_id, status, payment_status, currency, gross_minor, refunds_minor, paid,
        folded)
    SELECT basis, day, service_id, status, payment_status, currency, sum(gross), sum(refunds), sum(paid), true FROM (
        SELECT basis, CASE basis WHEN 'visit' THEN s.visit_day ELSE l.practice_day END AS day, s.service_id, s.status,
                s.payment_status, l.currency, l.appointment_id,
                coalesce(sum(l.amount_minor) FILTER (WHERE l.kind = 'charge'), 0) AS gross,
                -coalesce(sum(l.amount_minor) FILTER (WHERE l.kind <> 'charge'), 0) AS refunds,
                CASE basis WHEN 'visit' THEN least(count(*) FILTER (WHERE l.kind = 'charge'), 1)
                    ELSE count(*) FILTER (WHERE l.kind = 'charge') END AS paid
            FROM payments_ledgerentry l JOIN reports_standing s ON s.appointment_id = l.appointment_id,
                (VALUES ('visit'), ('payment')) AS bases (basis)
            WHERE l.kind IN {SALES} GROUP BY 1, 2, 3, 4, 5, 6, 7) AS one
    GROUP BY 1, 2, 3, 4, 5, 6;
"""  # noqa: S608  # words of ours

REMOVE = "\n".join(
    [
        *(
            f"DROP TRIGGER IF EXISTS {name} ON {table};"
            for name, table in (
                ("reports_appointment_new", "appointments_appointment"),
                ("reports_appointment_changed", "appointments_appointment"),
                ("reports_payment_new", "payments_payment"),
                ("reports_payment_changed", "payments_payment"),
                ("reports_line_new", "payments_ledgerentry"),
                ("reports_standing_changed", "reports_standing"),
                ("reports_offer_new", "waiting_waitlistoffer"),
                ("reports_zone", "clinic_practice"),
            )
        ),
        "DROP FUNCTION IF EXISTS reports_appointment_written, reports_payment_written, reports_recount, "
        "reports_line_written, reports_standing_moved, reports_offer_written, reports_zone_changed, "
        "reports_practice_day;",
    ]
)

# Keys of takings whose sums are not those of the ledger, asked of the tables that are the truth.
COUNTED = f"""
WITH latest AS (SELECT DISTINCT ON (appointment_id) appointment_id, status FROM payments_payment
        ORDER BY appointment_id, id DESC),
sold AS (SELECT basis, CASE basis WHEN 'visit' THEN (a.start AT TIME ZONE coalesce((SELECT timezone FROM clinic_practice
            WHERE id = 1), 'UTC'))::date ELSE l.practice_day END AS day, a.service_id, a.status,
            coalesce(p.status, '') AS payment_status, l.currency, a.id,
            coalesce(sum(l.amount_minor) FILTER (WHERE l.kind = 'charge'), 0) AS gross,
            -coalesce(sum(l.amount_minor) FILTER (WHERE l.kind <> 'charge'), 0) AS refunds,
            count(*) FILTER (WHERE l.kind = 'charge') AS charges
        FROM payments_ledgerentry l JOIN appointments_appointment a ON a.id = l.appointment_id
        LEFT JOIN latest p ON p.appointment_id = a.id, (VALUES ('visit'), ('payment')) AS bases (basis)
        WHERE l.kind IN {SALES} GROUP BY 1, 2, 3, 4, 5, 6, 7),
truth AS (SELECT basis, day, service_id, status, payment_status, currency, sum(gross) AS gross, sum(refunds) AS refunds,
        sum(CASE basis WHEN 'visit' THEN least(charges, 1) ELSE charges END) AS paid
    FROM sold GROUP BY 1, 2, 3, 4, 5, 6),
kept AS (SELECT basis, day, service_id, status, payment_status, currency, sum(gross_minor) AS gross,
        sum(refunds_minor) AS refunds, sum(paid) AS paid FROM reports_takings GROUP BY 1, 2, 3, 4, 5, 6)
SELECT basis || ' of ' || day || ', service ' || service_id || ', ' || status || ', ' || payment_status
    FROM truth FULL JOIN kept USING (basis, day, service_id, status, payment_status, currency)
    WHERE (coalesce(truth.gross, 0), coalesce(truth.refunds, 0), coalesce(truth.paid, 0))
        <> (coalesce(kept.gross, 0), coalesce(kept.refunds, 0), coalesce(kept.paid, 0))
"""  # noqa: S608  # words of ours
