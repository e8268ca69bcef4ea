//! What of this domain's answers is out of date after its events.

use events::{Event, Payload as _};
use subgraph::messages::{UserChanged, UserEdited};
use subgraph::outdated::{Outdated, Outdating};

/// A person is one entity, whatever changed. Who registers was nobody before.
pub const OUTDATING: Outdating = Outdating {
    kinds: &[UserChanged::KIND, UserEdited::KIND],
    after,
};

fn after(event: &Event) -> events::Result<Vec<Outdated>> {
    Ok(vec![Outdated::entity("User", event.user)])
}
