//! What of this domain's answers is out of date after its events.

use events::{Event, Payload as _};
use subgraph::messages::NotificationsChanged;
use subgraph::outdated::{Outdated, Outdating};

/// Everything here is a person's own: what they are told, and how much of it is unread.
pub const OUTDATING: Outdating = Outdating {
    kinds: &[NotificationsChanged::KIND],
    after,
};

fn after(event: &Event) -> events::Result<Vec<Outdated>> {
    Ok(vec![Outdated::entity("User", event.user)])
}
