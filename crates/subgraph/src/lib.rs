//! subgraph.
