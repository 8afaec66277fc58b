// Drives an emulated org with jsforce as it is: `node drive_jsforce.mjs URL CLIENT_ID CLIENT_SECRET ID...`.
// Prints what jsforce saw as one line of JSON.
import { createRequire } from "node:module";

const jsforce = createRequire(`${process.cwd()}/`)("jsforce");
const [url, clientId, clientSecret, ...ids] = process.argv.slice(2);
const connection = new jsforce.Connection({ oauth2: { clientId, clientSecret, loginUrl: url }, version: "67.0" });

const user = await connection.authorize({ grant_type: "client_credentials" });
const identity = await connection.identity();

const found = await connection.query("SELECT Id, Email FROM Contact ORDER BY Id", { autoFetch: true, maxFetch: 10000 });

const contacts = connection.sobject("Contact");
const updated = await contacts.update(ids.map((Id) => ({ Id, HasOptedOutOfEmail: true })));
const one = await contacts.retrieve(ids[0]);

const minutes = (count) => new Date(Date.now() + count * 60000).toISOString();
const changes = await contacts.updated(minutes(-5), minutes(5));
const deletions = await contacts.deleted(minutes(-5), minutes(5));

let refusal;
try {
  await connection.query("SELECT Foo FROM Contact");
} catch (error) {
  refusal = error.errorCode;
}

const bulk = await connection.bulk2.loadAndWaitForResults({
  object: "Contact",
  operation: "update",
  input: ids.map((Id) => ({ Id, DoNotCall: true })),
});
const bulkQuery = await connection.bulk2.query("SELECT Id FROM Contact WHERE DoNotCall = TRUE");
const bulkRows = await bulkQuery.toArray();

console.log(
  JSON.stringify({
    user: user.id,
    organization: identity.organization_id,
    rows: found.records.length,
    updated: updated.map((result) => result.success),
    optedOut: one.HasOptedOutOfEmail,
    changes: changes.ids.length,
    deletions: deletions.deletedRecords.map((row) => row.id),
    refusal,
    usage: connection.limitInfo.apiUsage.limit,
    bulk: [bulk.successfulResults.length, bulk.failedResults.length, bulk.unprocessedRecords.length],
    bulkRows: bulkRows.length,
  }),
);
