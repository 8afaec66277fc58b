CASE event.action
WHEN 'created' THEN
    event.changes || jsonb_build_object('here', true, 'unsubscribed', event.changes ? 'suppressed')
    || CASE WHEN event.changes ? 'authorization_type' THEN jsonb_build_object('basis', event.at) ELSE '{}' END
WHEN 'authorization' THEN {new} || jsonb_build_object('basis', event.at, 'reviewed', NULL) || {clocks}
WHEN 'source' THEN {new}
WHEN 'corrected' THEN {new}
WHEN 'scrubbed' THEN jsonb_build_object('words_gone', true)
WHEN 'unsubscribed' THEN jsonb_build_object('unsubscribed', true, 'looks_opted_out', false,
    'said_at', event.at, 'said_source', event.changes->'source'->1, 'said_reason', event.changes->'reason'->1)
WHEN 'resubscribed' THEN jsonb_build_object('unsubscribed', false, 'said_at', NULL)
WHEN 'restricted' THEN jsonb_build_object('restricted_at', event.at)
WHEN 'unrestricted' THEN jsonb_build_object('restricted_at', NULL)
WHEN 'informed' THEN jsonb_build_object('informed_at',
    CASE WHEN event.changes->'how'->>1 = 'came_back' THEN NULL ELSE event.at END)
WHEN 'reviewed' THEN jsonb_build_object('basis', event.at, 'reviewed', event.at)
WHEN 'deleted' THEN jsonb_build_object('here', false)
WHEN 'merged' THEN
    CASE WHEN event.changes ? 'into' THEN jsonb_build_object('here', false) ELSE '{}' END || {clocks}
WHEN 'unmerged' THEN jsonb_build_object('here', true) || {clocks}
    || CASE WHEN event.changes ? 'suppressed' THEN jsonb_build_object('unsubscribed', true)
       WHEN event.changes ? 'unsubscribed' THEN {new} ELSE '{}' END
WHEN 'looked_alike' THEN jsonb_build_object('looks_opted_out', true)
WHEN 'looked_apart' THEN jsonb_build_object('looks_opted_out', false)
WHEN 'told_apart' THEN jsonb_build_object('looks_opted_out', false)
END
