-- Counts the rows of tables that PostgreSQL takes for empty; see `lib.database.table_sizes`. Below a thousand known
-- rows a table is looked at again, once it has more than a few pages: to read it takes no time. It is left alone while
-- somebody else looks at it.
CREATE OR REPLACE FUNCTION salesconnect_learn_sizes(tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unknown regclass;
BEGIN
    FOR unknown IN
        SELECT oid FROM pg_class WHERE oid = ANY(tables) AND reltuples < 1000 AND pg_relation_size(oid) > 65536
        ORDER BY oid
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %s', unknown);
    END LOOP;
END $$;
