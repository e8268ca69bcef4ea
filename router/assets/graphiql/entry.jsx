import React from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import 'graphiql/style.css';

const url = document.documentElement.dataset.endpoint;
const fetcher = createGraphiQLFetcher({ url });
const defaultQuery = `# The schema is behind the book symbol on the left.
# Credentials go into "Headers" below: { "authorization": "Bearer …" }
`;
createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery, shouldPersistHeaders: false }),
);
