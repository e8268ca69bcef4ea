// Runs the audit of GraphQL over HTTP against the address given, and writes what a server MUST or SHOULD do and this one does not.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
const asked = results.filter(({ name }) => !name.startsWith("MAY"));
const failed = asked.filter(({ status }) => status !== "ok").map(({ id, name, reason }) => ({ id, name, reason }));
process.stdout.write(JSON.stringify({ asked: asked.length, failed }));
