-- What the pipelines may read, and the log of what changed.

CREATE TABLE change_log (
    table_name text NOT NULL,
    row_key text NOT NULL,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint
);
CREATE INDEX ix_change_log_xid ON change_log (xid);

CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    gone text; kept text; part text;
    old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
BEGIN
    FOREACH part IN ARRAY TG_ARGV LOOP
        gone := concat_ws(':', gone, old_row ->> part);
        kept := concat_ws(':', kept, new_row ->> part);
    END LOOP;
    IF kept <> '' THEN
        INSERT INTO change_log (table_name, row_key) VALUES (TG_TABLE_NAME, kept);
    END IF;
    IF gone <> '' AND gone IS DISTINCT FROM kept THEN
        INSERT INTO change_log (table_name, row_key) VALUES (TG_TABLE_NAME, gone);
    END IF;
    RETURN NULL;
END $$;

CREATE SCHEMA export;
GRANT USAGE ON SCHEMA export TO bursar_sync;

CREATE FUNCTION export.cluster_identity() RETURNS text LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog AS $$
    SELECT system_identifier::text || '/' || timeline_id::text || '/' || (SELECT oid::text FROM pg_database WHERE datname = current_database())
    FROM pg_control_system(), pg_control_checkpoint()
$$;
REVOKE ALL ON FUNCTION export.cluster_identity() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION export.cluster_identity() TO bursar_sync;

CREATE VIEW export.change AS SELECT table_name, row_key, xid FROM change_log;

CREATE VIEW export.user_account AS SELECT user_id::text AS row_key, user_id, name, status, created_at FROM user_account;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON user_account FOR EACH ROW EXECUTE FUNCTION record_change('user_id');

CREATE VIEW export.ledger_account AS SELECT account_id::text AS row_key, account_id, book, code, owner_kind, owner_id, unit, normal_side, keeps_balance FROM ledger_account;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION record_change('account_id');

CREATE VIEW export.journal AS SELECT journal_id::text AS row_key, journal_id, book, kind, idem_key, occurred_at, recorded_at, actor, reverses_journal_id, subject_kind, subject_id FROM journal;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION record_change('journal_id');

CREATE VIEW export.posting AS SELECT journal_id::text || ':' || line_no::text AS row_key, journal_id, line_no, account_id, amount_minor, unit, purchase_line_id, matures_at FROM posting;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION record_change('journal_id', 'line_no');

CREATE VIEW export.course AS SELECT course_id::text AS row_key, course_id, external_key, title, subject, level, hours, status, owner_id, listed_at FROM course;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON course FOR EACH ROW EXECUTE FUNCTION record_change('course_id');

CREATE VIEW export.revenue_rule AS SELECT rule_id::text AS row_key, rule_id, name, channel, instructor_bp, valid_from, valid_to FROM revenue_rule;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON revenue_rule FOR EACH ROW EXECUTE FUNCTION record_change('rule_id');

CREATE VIEW export.purchase AS SELECT purchase_id::text AS row_key, purchase_id, quote_id, buyer_id, currency, total_minor, state, channel, begun_at, settled_at, ended_at FROM purchase;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON purchase FOR EACH ROW EXECUTE FUNCTION record_change('purchase_id');

CREATE VIEW export.purchase_line AS SELECT purchase_line_id::text AS row_key, purchase_line_id, purchase_id, line_no, course_id, list_minor, discount_minor, net_minor, tax_minor, rule_id, instructor_bp, refund_days, hold_until, state FROM purchase_line;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON purchase_line FOR EACH ROW EXECUTE FUNCTION record_change('purchase_line_id');

CREATE VIEW export.line_share AS SELECT purchase_line_id::text || ':' || share_no::text AS row_key, purchase_line_id, share_no, party_kind, party_id, amount_minor, rate_bp FROM line_share;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON line_share FOR EACH ROW EXECUTE FUNCTION record_change('purchase_line_id', 'share_no');

CREATE VIEW export.enrolment AS SELECT enrolment_id::text AS row_key, enrolment_id, user_id, course_id, purchase_line_id, state, opened_at, ended_at FROM enrolment;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON enrolment FOR EACH ROW EXECUTE FUNCTION record_change('enrolment_id');

CREATE VIEW export.payment AS SELECT payment_id::text AS row_key, payment_id, payer_id, subject_kind, subject_id, amount_minor, currency, state, stripe_checkout_session_id, stripe_payment_intent_id, stripe_charge_id, stripe_balance_transaction_id, fee_minor, failure_code, created_at, succeeded_at FROM payment;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON payment FOR EACH ROW EXECUTE FUNCTION record_change('payment_id');

CREATE VIEW export.refund AS SELECT refund_id::text AS row_key, refund_id, payment_id, purchase_line_id, amount_minor, currency, reason, state, requested_by, requested_at, settled_at, stripe_refund_id, stripe_balance_transaction_id, failure_code FROM refund;
CREATE TRIGGER recorded AFTER INSERT OR UPDATE OR DELETE ON refund FOR EACH ROW EXECUTE FUNCTION record_change('refund_id');

GRANT SELECT ON ALL TABLES IN SCHEMA export TO bursar_sync;
