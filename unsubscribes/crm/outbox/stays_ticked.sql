-- Boxes that stay ticked after a new consent of a person, because the record's own address says "no".
UPDATE unsubscribes_syncrecord r SET ticked_for_other = true
WHERE r.id = ANY(%(records)s) AND r.opted_out AND {opted_out_here}
