import React from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import 'graphiql/style.css';

const url = document.documentElement.dataset.endpoint;
// Subscriptions go over a WebSocket, to which "Headers" are told when it opens; what `@defer` marks comes in parts.
const fetcher = createGraphiQLFetcher({
  url,
  subscriptionUrl: new URL(url, location.href).href.replace(/^http/, 'ws'),
  headers: { accept: 'multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json' },
});
const defaultQuery = `# The schema is behind the book symbol on the left.
# Credentials go into "Headers" below: { "authorization": "Bearer …" }
`;
createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery, shouldPersistHeaders: false }),
);
