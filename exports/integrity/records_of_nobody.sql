-- A record of somebody who was merged belongs to the one who stayed, and the next turn of the sync says so, also where
-- that one was merged into somebody else since.
SELECT id FROM unsubscribes_syncrecord WHERE contact_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM contacts_contact WHERE id = contact_id)
    AND NOT EXISTS (SELECT FROM contacts_merge merge
                    WHERE merge.absorbed_id = contact_id AND merge.undone_at IS NULL)
