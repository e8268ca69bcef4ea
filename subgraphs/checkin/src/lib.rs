//! checkin.
