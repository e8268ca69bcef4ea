//! habit.
