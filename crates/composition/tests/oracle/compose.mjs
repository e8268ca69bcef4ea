// Reads cases as JSON from the standard input, composes each, and writes the outcomes as JSON.
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

function outcome({ name, subgraphs }) {
  try {
    const services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
    const result = composeServices(services);
    if (result.errors) {
      const errors = result.errors.map((error) => ({
        code: String(error.extensions?.code),
        message: error.message,
      }));
      return { name, errors, supergraph: null };
    }
    return { name, errors: [], supergraph: result.supergraphSdl };
  } catch (error) {
    return { name, errors: [{ code: "THROWN", message: String(error) }], supergraph: null };
  }
}

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(outcome)));
