//! Tells what changes between two schemas, and which operations still work.

use std::path::{Path, PathBuf};

use composition::changes::{Broken, Comparison, Judged, Level, Operation, OperationSource, Verdict};
use router::PersistedOperations;
use router::rest::OperationFile;

use crate::cli::Failure;
use crate::supergraph::lines;

/// Prints the changes from one schema to another, a line each. Each is a file with a supergraph or an API schema;
/// `operations` are files and folders with what clients send.
///
/// # Errors
/// What cannot be read; and after the report, that clients cannot live with the new schema.
pub fn run(old: &Path, new: &Path, operations: &[PathBuf]) -> Result<(), Failure> {
    let comparison = Comparison::read(&text(old)?, &text(new)?)?;
    let mut sources = Vec::new();
    for path in operations {
        sources.extend(read(path)?);
    }
    let found = Operation::read(&sources).map_err(|faults| lines(&faults))?;
    if found.is_empty() && !operations.is_empty() {
        return Err("there are no operations in what --operations names".into());
    }
    let verdict = comparison.judge(&found);
    print!("{}", report(&verdict));
    if verdict.passes() {
        return Ok(());
    }
    Err("clients cannot live with the new schema".into())
}

fn text(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file);
    Ok(text.map_err(|error| format!("cannot read {}: {error}", file.display()))?)
}

/// A folder of `*.graphql` files, one such file, or a manifest of persisted operations.
fn read(path: &Path) -> Result<Vec<OperationSource>, Failure> {
    if path.is_dir() {
        let files = OperationFile::read_folder(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let source = |file: OperationFile| OperationSource {
            path: path.join(file.path).display().to_string(),
            text: file.text,
        };
        return Ok(files.into_iter().map(source).collect());
    }
    let text = text(path)?;
    let shown = path.display();
    if path.extension().is_none_or(|extension| extension != "json") {
        let path = shown.to_string();
        return Ok(vec![OperationSource { path, text }]);
    }
    let manifest = PersistedOperations::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
    let source = |(id, text): (&str, &str)| OperationSource {
        path: format!("{shown}#{id}"),
        text: text.to_owned(),
    };
    let mut sources: Vec<OperationSource> = manifest.iter().map(source).collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn report(verdict: &Verdict) -> String {
    let mut report = String::new();
    let mut say = |line: String| {
        report.push_str(&line);
        report.push('\n');
    };
    for judged in &verdict.changes {
        say(format!("{}{}", judged.change, usage(judged)));
    }
    let not_valid = |what: &str, broken: &Broken| {
        let line = |fault| format!("{what} {}: {fault}", broken.operation);
        broken.faults.iter().map(line).collect::<Vec<_>>()
    };
    for broken in &verdict.broken {
        not_valid("BROKEN", broken).into_iter().for_each(&mut say);
    }
    for broken in &verdict.never_valid {
        not_valid("NEVER_VALID", broken).into_iter().for_each(&mut say);
    }
    let count = |level| verdict.count(level);
    let mut summary = format!(
        "{} breaking, {} dangerous, {} safe",
        count(Level::Breaking),
        count(Level::Dangerous),
        count(Level::Safe)
    );
    if verdict.operations > 0 {
        summary.push_str(&format!(
            "; {} operations of {} still work",
            verdict.working, verdict.operations
        ));
    }
    say(summary);
    report
}

fn usage(judged: &Judged) -> String {
    match judged.used_by.as_deref() {
        None => String::new(),
        Some([]) => " (no operation uses it)".to_owned(),
        Some(names) => format!(" (used by {})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn operations_come_from_folders_files_and_manifests() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let old = write(at, "old.graphql", "type Query { a: Int b: Int }");
        let new = write(at, "new.graphql", "type Query { a: Int }");
        write(at, "operations/fragments/f.graphql", "fragment F on Query { a }");
        write(at, "operations/deep/er/a.graphql", "query A { ...F }");
        let operations = at.join("operations");
        run(&old, &new, std::slice::from_ref(&operations)).unwrap();
        assert!(run(&old, &new, &[]).is_err());
        let relay = write(at, "relay.json", r#"{"1": "query B { b }"}"#);
        assert!(run(&old, &new, &[operations.clone(), relay]).is_err());
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{"id": "1", "name": "A", "type": "query", "body": "query A { a }"}]}"#;
        run(&old, &new, &[write(at, "apollo.json", apollo)]).unwrap();
        let empty = write(at, "empty.json", "{}");
        assert!(run(&old, &old, &[empty]).is_err());
    }

    #[test]
    fn a_report_has_a_line_for_each_change_and_a_sum() {
        let source = OperationSource {
            path: "b.graphql".to_owned(),
            text: "query B { b }".to_owned(),
        };
        let operations = Operation::read(&[source]).unwrap();
        let comparison = Comparison::read(
            "type Query { a: Int b: Int c: Int }",
            "type Query { a: Int d: Int }",
        )
        .unwrap();
        assert_eq!(
            report(&comparison.judge(&operations)),
            "BREAKING FIELD_REMOVED Query.b: the field was removed (used by B)\n\
             BREAKING FIELD_REMOVED Query.c: the field was removed (no operation uses it)\n\
             SAFE FIELD_ADDED Query.d: the field was added\n\
             BROKEN B: b.graphql:1:11: type `Query` does not have a field `b`\n\
             2 breaking, 0 dangerous, 1 safe; 0 operations of 1 still work\n"
        );
    }
}
