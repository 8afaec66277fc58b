-- Records of people who were erased before a date. One that still exists in the CRM is kept until its outbox is empty.
erased_at IS NOT NULL AND ((deleted OR successor_id <> '') OR erased_at < %(before)s AND (
    SELECT true FROM (SELECT state FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0) w
    WHERE w.state IN ('pending', 'retry', 'leased') LIMIT 1) IS NULL)
