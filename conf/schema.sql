-- schema.sql -- the tables of a store in PostgreSQL, 13 or later, in a database
-- whose encoding is UTF8. 'userprofilectl -s postgresql://... init' runs it; so
-- does 'psql -v ON_ERROR_STOP=1 -f schema.sql', as who owns the database.
--
-- Two roles have what their programs need and no more; they cannot log in. Give
-- each to the user by which its program connects:
--
--     CREATE ROLE www_data LOGIN IN ROLE userprofile_server;
--     CREATE ROLE operator LOGIN IN ROLE userprofile_tool;
--
-- Ids are compared byte by byte, whatever the database's collation is. The
-- numbers of types, states and genders are those of the published API's
-- messages, or of mod_userprofile's up_items.h; they never change.

BEGIN;

CREATE SCHEMA userprofile;

-- What the store says of itself, in one row. The id tells it from every other
-- store; a copy of the database is the same one.
CREATE TABLE userprofile.store (
    version integer NOT NULL,
    id bigint NOT NULL
);
CREATE UNIQUE INDEX store_is_one_row ON userprofile.store ((true));
INSERT INTO userprofile.store (version, id)
    VALUES (1, hashtextextended(gen_random_uuid()::text, 0));

CREATE TABLE userprofile.org (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL
);

-- A user. Of a machine the columns of the profile are null; of a human, none is.
-- No index has a column that an update of a profile changes, and pages have room
-- for it, so that it stays in its page.
CREATE TABLE userprofile.profile (
    id text COLLATE "C" PRIMARY KEY,
    org text COLLATE "C" NOT NULL,
    type smallint NOT NULL CHECK (type IN (0, 1)),
    state smallint NOT NULL CHECK (state BETWEEN 0 AND 4),
    gender smallint CHECK (gender BETWEEN 0 AND 3),
    sequence bigint NOT NULL,
    created timestamptz NOT NULL,
    changed timestamptz NOT NULL,
    first_name text,
    last_name text,
    nick_name text,
    display_name text,
    preferred_language text,
    CHECK (num_nulls(first_name, last_name, nick_name, display_name,
        preferred_language, gender) = type * 6)
) WITH (fillfactor = 85);
CREATE INDEX profile_by_org ON userprofile.profile (org, id);

-- The roles of a user in an organisation, or with the empty organisation on the
-- instance.
CREATE TABLE userprofile.member (
    org text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    PRIMARY KEY (user_id, org)
);
CREATE INDEX member_by_org ON userprofile.member (org, user_id);

CREATE TABLE userprofile.token (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    user_id text COLLATE "C" NOT NULL,
    created timestamptz NOT NULL,
    expires timestamptz,            -- null: never, or it is revoked
    revoked timestamptz             -- null: it is not; else the row stays
);
CREATE INDEX token_by_user ON userprofile.token (user_id);

-- What happened. Numbers are given when an event is written: of two
-- events of one user the later one has the larger number, and a number that no
-- event has belongs to a change that was given up. 'fields' has bit 0 for the
-- first name, 1 for the last name, then nickname, display name, language, and 5
-- for the gender; of fields that were not changed both columns are null. 'change'
-- tells a change whose answer was lost from another one.
CREATE TABLE userprofile.event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    sequence bigint NOT NULL,
    type smallint NOT NULL CHECK (type BETWEEN 0 AND 17),
    before_gender smallint,
    after_gender smallint,
    fields integer NOT NULL,
    detail text NOT NULL,           -- what is no field of a profile, or ''
    org text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    author text NOT NULL,
    change uuid,
    before_first_name text,
    before_last_name text,
    before_nick_name text,
    before_display_name text,
    before_preferred_language text,
    after_first_name text,
    after_last_name text,
    after_nick_name text,
    after_display_name text,
    after_preferred_language text
);
CREATE INDEX event_by_user ON userprofile.event (user_id, sequence);

-- Roles belong to all databases of the server, so they may be there already.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['userprofile_server', 'userprofile_tool'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'there is no role %, and you may not make it', name;
        END;
    END LOOP;

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'userprofile_server') THEN
        GRANT USAGE ON SCHEMA userprofile TO userprofile_server;
        GRANT SELECT ON userprofile.store, userprofile.org, userprofile.profile,
            userprofile.member, userprofile.token TO userprofile_server;
        GRANT UPDATE ON userprofile.profile TO userprofile_server;
        GRANT INSERT, SELECT (number, user_id, sequence, change)
            ON userprofile.event TO userprofile_server;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'userprofile_tool') THEN
        GRANT USAGE ON SCHEMA userprofile TO userprofile_tool;
        GRANT SELECT ON ALL TABLES IN SCHEMA userprofile TO userprofile_tool;
        GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA userprofile
            TO userprofile_tool;
        GRANT INSERT, UPDATE, DELETE ON userprofile.org, userprofile.profile,
            userprofile.member, userprofile.token, userprofile.event
            TO userprofile_tool;
    END IF;
END $$;

COMMIT;
