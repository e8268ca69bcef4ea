// Subscribes at an address with what comes on standard input, by the tools that clients use: graphql-ws, graphql-sse, and
// meros for parts. Writes what each of them heard.

import { createClient as createSocket } from "graphql-ws";
import { createClient as createEvents } from "graphql-sse";
import { meros } from "meros/browser";
import { text } from "node:stream/consumers";
import WebSocket from "ws";

const url = process.argv[2];
const query = await text(process.stdin);

async function all(results) {
  const heard = [];
  for await (const result of results) heard.push(result);
  return heard;
}

async function parts() {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "multipart/mixed;subscriptionSpec=1.0, application/json",
    },
    body: JSON.stringify({ query }),
  });
  const heard = await all(await meros(response));
  // Heartbeats and the end are parts without a payload.
  return heard.map((part) => part.body.payload).filter((payload) => payload);
}

const socket = createSocket({ url: url.replace("http", "ws"), webSocketImpl: WebSocket });
const events = createEvents({ url });
const told = {
  "graphql-ws": await all(socket.iterate({ query })),
  "graphql-sse": await all(events.iterate({ query })),
  meros: await parts(),
};
await socket.dispose();
events.dispose();
process.stdout.write(JSON.stringify(told));
