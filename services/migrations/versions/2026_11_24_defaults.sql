-- The shares that sales begin with: 97 % of a sale that the instructor brought, 37 % of any other.

INSERT INTO revenue_rule (rule_id, name, channel, instructor_bp, valid_from, valid_to) VALUES
    ('0192f0c0-0000-7000-8000-000000000001', 'Instructor-brought sale, 97 % of net', 'instructor', 9700, '2021-05-01T00:00:00Z', NULL),
    ('0192f0c0-0000-7000-8000-000000000002', 'Platform sale, 37 % of net', 'platform', 3700, '2021-05-01T00:00:00Z', NULL);
