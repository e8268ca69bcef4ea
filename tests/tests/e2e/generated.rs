//! The committed files that follow from the code.

use std::path::Path;

#[test]
fn the_committed_schema_is_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    for (path, text) in platform::generate::files().expect("the schema composes") {
        let committed = std::fs::read_to_string(folder.join(&path)).unwrap_or_default();
        assert!(
            committed == text,
            "schema/{} is not what the code says: run `cargo xtask generate`",
            path.display()
        );
    }
}
