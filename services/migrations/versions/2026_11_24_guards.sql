-- What the database refuses by itself, whatever the code above it does.

DO $$ BEGIN CREATE ROLE bursar_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE bursar_sync NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT bursar_app, bursar_sync TO CURRENT_USER;

GRANT USAGE ON SCHEMA public TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO bursar_app;
REVOKE INSERT, UPDATE ON balance FROM bursar_app;
REVOKE UPDATE ON ledger_account, journal, posting, audit_log, line_share FROM bursar_app;

-- What was agreed stands: only where a thing stands may move on.
REVOKE UPDATE ON quote, revenue_rule, purchase, purchase_line, payment, refund FROM bursar_app;
GRANT UPDATE (valid_to) ON revenue_rule TO bursar_app;
GRANT UPDATE (state, settled_at, ended_at) ON purchase TO bursar_app;
GRANT UPDATE (state, hold_until) ON purchase_line TO bursar_app;
GRANT UPDATE (state, fee_minor, failure_code, succeeded_at, stripe_checkout_session_id, stripe_payment_intent_id,
    stripe_charge_id, stripe_balance_transaction_id) ON payment TO bursar_app;
GRANT UPDATE (state, failure_code, settled_at, stripe_refund_id, stripe_balance_transaction_id) ON refund TO bursar_app;

REVOKE INSERT, UPDATE ON alembic_version FROM bursar_app;
GRANT DELETE ON signin_count, idempotency_key TO bursar_app;

-- Written once.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

DO $$
DECLARE kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['journal', 'posting', 'ledger_account', 'audit_log', 'line_share'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', kept);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER keep_all', kept);
    END LOOP;
END $$;

-- A journal sums to zero per unit when its transaction commits.

CREATE FUNCTION stamp_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE TRIGGER stamp BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION stamp_journal();

CREATE FUNCTION require_balanced_journal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE unbalanced record;
BEGIN
    IF (SELECT count(*) FROM posting WHERE journal_id = NEW.journal_id) < 2 THEN
        RAISE EXCEPTION 'journal % has fewer than two postings', NEW.journal_id USING ERRCODE = 'check_violation';
    END IF;
    SELECT unit, sum(amount_minor) AS off INTO unbalanced FROM posting
    WHERE journal_id = NEW.journal_id GROUP BY unit HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % is off by % %', NEW.journal_id, unbalanced.off, unbalanced.unit
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON journal
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_journal();
ALTER TABLE journal ENABLE ALWAYS TRIGGER balanced;

-- Postings join only a journal of their own transaction, balanced in each statement (a session may bring the check
-- at commit forward, and add to the journal afterwards), in their account's book and unit, and move its balance.

CREATE FUNCTION take_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE unbalanced record;
BEGIN
    IF EXISTS (
        SELECT 1 FROM added JOIN journal USING (journal_id)
        WHERE journal.written_in <> pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'a posting may only join a journal of its own transaction' USING ERRCODE = 'check_violation';
    END IF;
    SELECT journal_id, unit, sum(amount_minor) AS off INTO unbalanced FROM added
    GROUP BY journal_id, unit HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of journal % are off by % %', unbalanced.journal_id, unbalanced.off, unbalanced.unit
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM added JOIN journal USING (journal_id) JOIN ledger_account USING (account_id)
        WHERE ledger_account.book <> journal.book OR ledger_account.unit <> added.unit
    ) THEN
        RAISE EXCEPTION 'a posting must be in the book and unit of its account' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO balance AS held (account_id, amount_minor, version)
    SELECT account_id, sum(added.amount_minor) * ledger_account.normal_side, 1
    FROM added JOIN ledger_account USING (account_id)
    WHERE ledger_account.keeps_balance
    GROUP BY account_id, ledger_account.normal_side
    ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE
    SET amount_minor = held.amount_minor + EXCLUDED.amount_minor, version = held.version + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER taken AFTER INSERT ON posting
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION take_postings();
ALTER TABLE posting ENABLE ALWAYS TRIGGER taken;

-- A course's shares sum to the whole at any instant of its life.

CREATE FUNCTION require_whole_course() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE whole bigint;
BEGIN
    SELECT sum(share_bp) INTO whole FROM course_instructor WHERE course_id = NEW.course_id AND valid_to IS NULL;
    IF whole IS DISTINCT FROM 10000 THEN
        RAISE EXCEPTION 'instructor shares of course % sum to % of 10000', NEW.course_id, coalesce(whole, 0)
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER whole AFTER INSERT OR UPDATE ON course_instructor
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_whole_course();

-- A settled line's shares sum to what was paid for it.

CREATE FUNCTION require_whole_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE paid bigint; shared bigint;
BEGIN
    SELECT net_minor + tax_minor INTO paid FROM purchase_line WHERE purchase_line_id = NEW.purchase_line_id;
    SELECT sum(amount_minor) INTO shared FROM line_share WHERE purchase_line_id = NEW.purchase_line_id;
    IF paid IS DISTINCT FROM shared THEN
        RAISE EXCEPTION 'shares of line % sum to % of %', NEW.purchase_line_id, shared, paid
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER whole AFTER INSERT ON line_share
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_whole_line();
