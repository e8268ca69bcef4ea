// Asks the address given for its schema as tools do, and writes where the answer differs from what graphql-js says of the
// SDL on the standard input.
import { readFileSync } from "node:fs";
import {
  buildClientSchema, buildSchema, getIntrospectionQuery, introspectionFromSchema, printSchema, lexicographicSortSchema,
} from "graphql";

const options = { descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true };
const response = await fetch(process.argv[2], {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query: getIntrospectionQuery(options) }),
});
const { data, errors } = await response.json();
if (errors) throw new Error(JSON.stringify(errors));

// In an order of their own.
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
};
const theirs = introspectionFromSchema(buildSchema(readFileSync(0, "utf8")), options);
// How a server describes its own directives is up to it.
const compared = (it, kind) => (kind === "directives" ? { ...it, description: null } : it);
const byName = ({ __schema }, kind) =>
  new Map(__schema[kind].map((it) => [it.name, JSON.stringify(sorted(compared(it, kind)))]));
const differences = [];
for (const kind of ["types", "directives"]) {
  const [is, should] = [byName(data, kind), byName(theirs, kind)];
  for (const [name, value] of should) {
    if (!name.startsWith("__") && is.get(name) !== value) differences.push({ name, is: is.get(name), should: value });
  }
}
// Whoever generates code from the answer must be able to read it.
const read = printSchema(lexicographicSortSchema(buildClientSchema(data)));
process.stdout.write(JSON.stringify({ types: theirs.__schema.types.length, differences, read: read.length }));
