-- The record of a merged person belongs to the survivor, and the next sync run moves it there, also over several merges.
-- So a contact id that a merge still in force absorbed is no difference.
SELECT id FROM unsubscribes_syncrecord WHERE contact_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM contacts_contact WHERE id = contact_id)
    AND NOT EXISTS (SELECT FROM contacts_merge merge
                    WHERE merge.absorbed_id = contact_id AND merge.undone_at IS NULL)
