//! What one client request has learned so far.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, PoisonError};

/// Values that live as long as one client request and are shared by all that is done for it in this process, one of
/// each type: such as the look-ups that were made already. Nothing of it outlasts a mutation, which changes what is
/// true.
#[derive(Default)]
pub struct Scope(Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>);

impl Scope {
    /// The value of a type, made where there is none yet. `make` must not use the scope.
    pub fn get_or_insert_with<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = TypeId::of::<T>();
        let known = values.iter().find(|(id, _)| *id == wanted);
        if let Some(value) = known.and_then(|(_, value)| Arc::clone(value).downcast().ok()) {
            return value;
        }
        let value = Arc::new(make());
        values.push((wanted, value.clone()));
        value
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scope")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_each_type_is_made_once() {
        let scope = Scope::default();
        assert_eq!(*scope.get_or_insert_with(|| 1_u32), 1);
        assert_eq!(*scope.get_or_insert_with(|| 2_u32), 1);
        assert_eq!(*scope.get_or_insert_with(|| "another"), "another");
    }
}
