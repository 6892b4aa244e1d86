-- Tables and indexes.

CREATE TABLE audit_log (
    audit_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    facts JSONB NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (audit_id)
);
CREATE INDEX ix_audit_log_object_kind_object_id ON audit_log (object_kind, object_id);

CREATE TABLE idempotency_key (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (scope, key)
);

CREATE TABLE inbox_event (
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    account TEXT,
    api_version TEXT,
    is_live BOOLEAN NOT NULL,
    body JSONB NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'received' NOT NULL,
    tries SMALLINT DEFAULT '0' NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT pk_inbox_event PRIMARY KEY (event_id),
    CONSTRAINT ck_inbox_event_state CHECK (state IN ('received', 'done', 'ignored', 'failed', 'dead'))
);
CREATE INDEX ix_inbox_event_open ON inbox_event (next_try_at) WHERE state IN ('received', 'failed');

CREATE TABLE journal (
    journal_id UUID NOT NULL,
    book TEXT NOT NULL,
    kind TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    reverses_journal_id UUID,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    written_in BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (journal_id),
    CONSTRAINT uq_journal_book_idem_key UNIQUE (book, idem_key),
    CONSTRAINT fk_journal_reverses_journal_id FOREIGN KEY(reverses_journal_id) REFERENCES journal (journal_id)
);
CREATE INDEX ix_journal_subject_kind_subject_id ON journal (subject_kind, subject_id);
CREATE UNIQUE INDEX uq_journal_reverses ON journal (reverses_journal_id) WHERE reverses_journal_id IS NOT NULL;

CREATE TABLE ledger_account (
    account_id BIGINT GENERATED ALWAYS AS IDENTITY,
    book TEXT NOT NULL,
    code TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner_id UUID,
    unit TEXT NOT NULL,
    normal_side SMALLINT NOT NULL,
    keeps_balance BOOLEAN NOT NULL,
    CONSTRAINT pk_ledger_account PRIMARY KEY (account_id),
    CONSTRAINT uq_ledger_account_book_code_owner_kind_owner_id_unit UNIQUE NULLS NOT DISTINCT (book, code, owner_kind, owner_id, unit),
    CONSTRAINT ck_ledger_account_book CHECK (book IN ('money', 'token')),
    CONSTRAINT ck_ledger_account_normal_side CHECK (normal_side IN (-1, 1))
);

CREATE TABLE outbox_event (
    outbox_event_id UUID NOT NULL,
    kind TEXT NOT NULL,
    facts JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    tries SMALLINT DEFAULT '0' NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT pk_outbox_event PRIMARY KEY (outbox_event_id),
    CONSTRAINT ck_outbox_event_state CHECK (state IN ('waiting', 'done', 'dead'))
);
CREATE INDEX ix_outbox_event_open ON outbox_event (next_try_at) WHERE state = 'waiting';

CREATE TABLE revenue_rule (
    rule_id UUID NOT NULL,
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    instructor_bp SMALLINT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_revenue_rule PRIMARY KEY (rule_id),
    CONSTRAINT ck_revenue_rule_channel CHECK (channel IN ('platform', 'instructor')),
    CONSTRAINT ck_revenue_rule_share CHECK (instructor_bp BETWEEN 0 AND 10000)
);
CREATE UNIQUE INDEX uq_revenue_rule_open ON revenue_rule (channel) WHERE valid_to IS NULL;

CREATE TABLE signin_count (
    subject_hash BYTEA NOT NULL,
    window_from TIMESTAMP WITH TIME ZONE NOT NULL,
    try_count BIGINT NOT NULL,
    CONSTRAINT pk_signin_count PRIMARY KEY (subject_hash)
);

CREATE TABLE sweep_cursor (
    account TEXT NOT NULL,
    swept_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sweep_cursor PRIMARY KEY (account)
);

CREATE TABLE user_account (
    user_id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_user_account PRIMARY KEY (user_id),
    CONSTRAINT uq_user_account_email UNIQUE (email),
    CONSTRAINT ck_user_account_email CHECK (email = lower(email)),
    CONSTRAINT ck_user_account_status CHECK (status IN ('active', 'closed'))
);

CREATE TABLE balance (
    account_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_balance PRIMARY KEY (account_id),
    CONSTRAINT fk_balance_account_id FOREIGN KEY(account_id) REFERENCES ledger_account (account_id)
);

CREATE TABLE course (
    course_id UUID NOT NULL,
    external_key TEXT,
    title TEXT NOT NULL,
    subject TEXT NOT NULL,
    level TEXT NOT NULL,
    hours NUMERIC(12, 2) NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL,
    owner_id UUID NOT NULL,
    listed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_course PRIMARY KEY (course_id),
    CONSTRAINT ck_course_status CHECK (status IN ('draft', 'listed', 'unlisted', 'withdrawn')),
    CONSTRAINT fk_course_owner_id FOREIGN KEY(owner_id) REFERENCES user_account (user_id)
);
CREATE INDEX ix_course_owner_id ON course (owner_id);
CREATE INDEX ix_course_subject ON course (subject);
CREATE INDEX ix_course_title ON course (lower(title));
CREATE UNIQUE INDEX uq_course_external_key ON course (external_key);

CREATE TABLE payment (
    payment_id UUID NOT NULL,
    payer_id UUID NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    stripe_checkout_session_id TEXT,
    stripe_payment_intent_id TEXT,
    stripe_charge_id TEXT,
    stripe_balance_transaction_id TEXT,
    fee_minor BIGINT,
    failure_code TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    succeeded_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payment PRIMARY KEY (payment_id),
    CONSTRAINT ck_payment_state CHECK (state IN ('pending', 'succeeded', 'failed', 'expired')),
    CONSTRAINT ck_payment_amount CHECK (amount_minor > 0),
    CONSTRAINT fk_payment_payer_id FOREIGN KEY(payer_id) REFERENCES user_account (user_id)
);
CREATE INDEX ix_payment_payer_id ON payment (payer_id);
CREATE UNIQUE INDEX uq_payment_charge ON payment (stripe_charge_id);
CREATE UNIQUE INDEX uq_payment_intent ON payment (stripe_payment_intent_id);
CREATE UNIQUE INDEX uq_payment_subject ON payment (subject_kind, subject_id);

CREATE TABLE posting (
    journal_id UUID NOT NULL,
    line_no SMALLINT NOT NULL,
    account_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    unit TEXT NOT NULL,
    purchase_line_id UUID,
    matures_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_posting PRIMARY KEY (journal_id, line_no),
    CONSTRAINT ck_posting_amount CHECK (amount_minor <> 0),
    CONSTRAINT fk_posting_journal_id FOREIGN KEY(journal_id) REFERENCES journal (journal_id),
    CONSTRAINT fk_posting_account_id FOREIGN KEY(account_id) REFERENCES ledger_account (account_id)
);
CREATE INDEX ix_posting_account_id ON posting (account_id);
CREATE INDEX ix_posting_purchase_line_id ON posting (purchase_line_id);

CREATE TABLE stripe_customer (
    user_id UUID NOT NULL,
    stripe_customer_id TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stripe_customer PRIMARY KEY (user_id),
    CONSTRAINT fk_stripe_customer_user_id FOREIGN KEY(user_id) REFERENCES user_account (user_id),
    CONSTRAINT uq_stripe_customer_stripe_customer_id UNIQUE (stripe_customer_id)
);

CREATE TABLE user_role (
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT pk_user_role PRIMARY KEY (user_id, role),
    CONSTRAINT ck_user_role_role CHECK (role IN ('learner', 'instructor', 'org_admin', 'support', 'support_lead', 'finance', 'founder', 'operator')),
    CONSTRAINT fk_user_role_user_id FOREIGN KEY(user_id) REFERENCES user_account (user_id)
);

CREATE TABLE user_session (
    session_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_user_session PRIMARY KEY (session_id),
    CONSTRAINT uq_user_session_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_user_session_user_id FOREIGN KEY(user_id) REFERENCES user_account (user_id)
);
CREATE INDEX ix_user_session_user_id ON user_session (user_id);

CREATE TABLE course_instructor (
    course_id UUID NOT NULL,
    instructor_id UUID NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    share_bp SMALLINT NOT NULL,
    CONSTRAINT pk_course_instructor PRIMARY KEY (course_id, instructor_id, valid_from),
    CONSTRAINT ck_course_instructor_share CHECK (share_bp BETWEEN 1 AND 10000),
    CONSTRAINT fk_course_instructor_course_id FOREIGN KEY(course_id) REFERENCES course (course_id),
    CONSTRAINT fk_course_instructor_instructor_id FOREIGN KEY(instructor_id) REFERENCES user_account (user_id)
);

CREATE TABLE course_price (
    course_price_id UUID NOT NULL,
    course_id UUID NOT NULL,
    currency VARCHAR(3) NOT NULL,
    list_minor BIGINT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_course_price PRIMARY KEY (course_price_id),
    CONSTRAINT ck_course_price_list CHECK (list_minor >= 0),
    CONSTRAINT fk_course_price_course_id FOREIGN KEY(course_id) REFERENCES course (course_id)
);
CREATE INDEX ix_course_price_course_id ON course_price (course_id);
CREATE UNIQUE INDEX uq_course_price_open ON course_price (course_id, currency) WHERE valid_to IS NULL;

CREATE TABLE quote (
    quote_id UUID NOT NULL,
    buyer_id UUID NOT NULL,
    course_id UUID NOT NULL,
    currency VARCHAR(3) NOT NULL,
    list_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    channel TEXT NOT NULL,
    rule_id UUID NOT NULL,
    quoted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_quote PRIMARY KEY (quote_id),
    CONSTRAINT fk_quote_buyer_id FOREIGN KEY(buyer_id) REFERENCES user_account (user_id),
    CONSTRAINT fk_quote_course_id FOREIGN KEY(course_id) REFERENCES course (course_id),
    CONSTRAINT fk_quote_rule_id FOREIGN KEY(rule_id) REFERENCES revenue_rule (rule_id)
);

CREATE TABLE refund (
    refund_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    purchase_line_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    reason TEXT NOT NULL,
    state TEXT DEFAULT 'requested' NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    stripe_refund_id TEXT,
    stripe_balance_transaction_id TEXT,
    failure_code TEXT,
    CONSTRAINT pk_refund PRIMARY KEY (refund_id),
    CONSTRAINT ck_refund_state CHECK (state IN ('requested', 'succeeded', 'failed')),
    CONSTRAINT ck_refund_amount CHECK (amount_minor > 0),
    CONSTRAINT fk_refund_payment_id FOREIGN KEY(payment_id) REFERENCES payment (payment_id)
);
CREATE INDEX ix_refund_payment_id ON refund (payment_id);
CREATE UNIQUE INDEX uq_refund_line ON refund (purchase_line_id) WHERE state <> 'failed';
CREATE UNIQUE INDEX uq_refund_stripe ON refund (stripe_refund_id);

CREATE TABLE purchase (
    purchase_id UUID NOT NULL,
    quote_id UUID NOT NULL,
    buyer_id UUID NOT NULL,
    currency VARCHAR(3) NOT NULL,
    total_minor BIGINT NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    channel TEXT NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_purchase PRIMARY KEY (purchase_id),
    CONSTRAINT ck_purchase_state CHECK (state IN ('pending', 'settled', 'refunded', 'abandoned', 'review')),
    CONSTRAINT uq_purchase_quote_id UNIQUE (quote_id),
    CONSTRAINT fk_purchase_quote_id FOREIGN KEY(quote_id) REFERENCES quote (quote_id),
    CONSTRAINT fk_purchase_buyer_id FOREIGN KEY(buyer_id) REFERENCES user_account (user_id)
);
CREATE INDEX ix_purchase_buyer_id ON purchase (buyer_id);

CREATE TABLE purchase_line (
    purchase_line_id UUID NOT NULL,
    purchase_id UUID NOT NULL,
    line_no SMALLINT NOT NULL,
    course_id UUID NOT NULL,
    list_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    rule_id UUID NOT NULL,
    instructor_bp SMALLINT NOT NULL,
    refund_days SMALLINT NOT NULL,
    hold_until TIMESTAMP WITH TIME ZONE,
    state TEXT DEFAULT 'pending' NOT NULL,
    CONSTRAINT pk_purchase_line PRIMARY KEY (purchase_line_id),
    CONSTRAINT uq_purchase_line_purchase_id_line_no UNIQUE (purchase_id, line_no),
    CONSTRAINT ck_purchase_line_sums CHECK (list_minor - discount_minor = net_minor AND net_minor >= 0 AND tax_minor >= 0),
    CONSTRAINT ck_purchase_line_state CHECK (state IN ('pending', 'held', 'matured', 'refunding', 'refunded', 'void')),
    CONSTRAINT fk_purchase_line_purchase_id FOREIGN KEY(purchase_id) REFERENCES purchase (purchase_id),
    CONSTRAINT fk_purchase_line_course_id FOREIGN KEY(course_id) REFERENCES course (course_id),
    CONSTRAINT fk_purchase_line_rule_id FOREIGN KEY(rule_id) REFERENCES revenue_rule (rule_id)
);
CREATE INDEX ix_purchase_line_course_id ON purchase_line (course_id);
CREATE INDEX ix_purchase_line_hold ON purchase_line (hold_until) WHERE state = 'held';

CREATE TABLE enrolment (
    enrolment_id UUID NOT NULL,
    user_id UUID NOT NULL,
    course_id UUID NOT NULL,
    purchase_line_id UUID NOT NULL,
    state TEXT DEFAULT 'active' NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_enrolment PRIMARY KEY (enrolment_id),
    CONSTRAINT ck_enrolment_state CHECK (state IN ('active', 'revoked')),
    CONSTRAINT fk_enrolment_user_id FOREIGN KEY(user_id) REFERENCES user_account (user_id),
    CONSTRAINT fk_enrolment_course_id FOREIGN KEY(course_id) REFERENCES course (course_id),
    CONSTRAINT uq_enrolment_purchase_line_id UNIQUE (purchase_line_id),
    CONSTRAINT fk_enrolment_purchase_line_id FOREIGN KEY(purchase_line_id) REFERENCES purchase_line (purchase_line_id)
);
CREATE INDEX ix_enrolment_course_id ON enrolment (course_id);
CREATE UNIQUE INDEX uq_enrolment_live ON enrolment (user_id, course_id) WHERE state = 'active';

CREATE TABLE line_share (
    purchase_line_id UUID NOT NULL,
    share_no SMALLINT NOT NULL,
    party_kind TEXT NOT NULL,
    party_id UUID,
    amount_minor BIGINT NOT NULL,
    rate_bp SMALLINT NOT NULL,
    CONSTRAINT pk_line_share PRIMARY KEY (purchase_line_id, share_no),
    CONSTRAINT ck_line_share_party_kind CHECK (party_kind IN ('platform', 'instructor', 'tax')),
    CONSTRAINT ck_line_share_amount CHECK (amount_minor >= 0),
    CONSTRAINT uq_line_share_purchase_line_id_party_kind_party_id UNIQUE NULLS NOT DISTINCT (purchase_line_id, party_kind, party_id),
    CONSTRAINT fk_line_share_purchase_line_id FOREIGN KEY(purchase_line_id) REFERENCES purchase_line (purchase_line_id)
);
