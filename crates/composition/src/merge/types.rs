//! Merging of types as a whole, of unions, enums and scalars.

use apollo_compiler::ast::Directive;
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use super::{Merger, Source};
use crate::build;
use crate::error::{ErrorCode, quoted_list};
use crate::spec::Known;
use crate::subgraph::{Applied, Kind, ValueDef, has};
use crate::supergraph::{Merged, MergedField, MergedValue};

impl<'a> Merger<'a> {
    pub(super) fn merge_type(&mut self, name: &Name, kind: Kind, sources: &[Source<'a>]) -> Option<Merged> {
        let descriptions = sources.iter().map(|(_, def)| def.description.as_ref());
        let description = self.merge_description(descriptions, || format!("Type \"{name}\""));
        let mut directives = self.join_types(sources);
        let applied: Vec<(usize, &[Applied])> = sources
            .iter()
            .map(|(index, def)| (*index, def.applied.as_slice()))
            .collect();
        let mut merged = Merged {
            name: name.clone(),
            kind,
            description,
            directives: Vec::new(),
            interfaces: IndexSet::new(),
            fields: IndexMap::new(),
            members: IndexSet::new(),
            values: IndexMap::new(),
            inputs: IndexMap::new(),
        };
        match kind {
            Kind::Object | Kind::Interface => {
                merged.interfaces = sources
                    .iter()
                    .flat_map(|(_, def)| def.interfaces.iter().cloned())
                    .collect();
                directives.extend(self.join_implements(sources));
                merged.fields = self.merge_fields(name, kind, sources);
            }
            Kind::Union => {
                merged.members = sources
                    .iter()
                    .flat_map(|(_, def)| def.members.iter().cloned())
                    .collect();
                directives.extend(self.join_members(sources));
                self.hint_members(name, sources, &merged.members);
            }
            Kind::Enum => merged.values = self.merge_values(name, sources),
            Kind::Input => merged.inputs = self.merge_input_fields(name, sources),
            Kind::Scalar => {}
        }
        directives.extend(self.merge_applied(&applied, name));
        merged.directives = directives;
        Some(merged)
    }

    /// The description that most subgraphs give; of equally frequent ones, the first.
    pub(super) fn merge_description<'b>(
        &mut self,
        all: impl Iterator<Item = Option<&'b Node<str>>>,
        place: impl Fn() -> String,
    ) -> Option<Node<str>> {
        let mut counts: IndexMap<&'b str, (usize, &'b Node<str>)> = IndexMap::new();
        for description in all.flatten().filter(|text| !text.trim().is_empty()) {
            counts.entry(description.trim()).or_insert((0, description)).0 += 1;
        }
        if counts.len() > 1 {
            let message = format!("{} has inconsistent descriptions across subgraphs.", place());
            self.report.hint("INCONSISTENT_DESCRIPTION", message);
        }
        let most = counts.values().map(|(count, _)| *count).max()?;
        counts
            .values()
            .find(|(count, _)| *count == most)
            .map(|(_, description)| (*description).clone())
    }

    fn join_types(&self, sources: &[Source<'_>]) -> Vec<Directive> {
        let mut out = Vec::new();
        for (index, def) in sources {
            let graph = build::variant(&self.graph(*index));
            let mut without_key = vec![(build::name("graph"), graph)];
            if def.keys.is_empty() {
                if def.interface_object {
                    without_key.push((build::name("isInterfaceObject"), build::boolean(true)));
                }
                out.push(build::directive(build::name("join__type"), without_key));
                continue;
            }
            for key in &def.keys {
                let mut args = without_key.clone();
                args.push((build::name("key"), build::string(key.fields.text())));
                if key.of_extension {
                    args.push((build::name("extension"), build::boolean(true)));
                }
                if !key.resolvable {
                    args.push((build::name("resolvable"), build::boolean(false)));
                }
                if def.interface_object {
                    args.push((build::name("isInterfaceObject"), build::boolean(true)));
                }
                let directive = build::directive(build::name("join__type"), args);
                if !out.contains(&directive) {
                    out.push(directive);
                }
            }
        }
        out
    }

    fn join_implements(&self, sources: &[Source<'_>]) -> Vec<Directive> {
        let mut out = Vec::new();
        for (index, def) in sources {
            for interface in &def.interfaces {
                let args = vec![
                    (build::name("graph"), build::variant(&self.graph(*index))),
                    (build::name("interface"), build::string(interface.as_str())),
                ];
                out.push(build::directive(build::name("join__implements"), args));
            }
        }
        out
    }

    fn join_members(&self, sources: &[Source<'_>]) -> Vec<Directive> {
        let mut out = Vec::new();
        for (index, def) in sources {
            for member in &def.members {
                let args = vec![
                    (build::name("graph"), build::variant(&self.graph(*index))),
                    (build::name("member"), build::string(member.as_str())),
                ];
                out.push(build::directive(build::name("join__unionMember"), args));
            }
        }
        out
    }

    fn hint_members(&mut self, name: &Name, sources: &[Source<'_>], all: &IndexSet<Name>) {
        for member in all {
            let missing = sources.iter().filter(|(_, def)| !def.members.contains(member));
            let missing: Vec<&str> = missing.map(|(index, _)| self.name(*index)).collect();
            if !missing.is_empty() {
                let text = format!(
                    "Union type \"{name}\" includes member type \"{member}\" in some but not all defining subgraphs: \
                     it is missing in {}.",
                    quoted_list(missing)
                );
                self.report.hint("INCONSISTENT_UNION_MEMBER", text);
            }
        }
    }

    /// Enums of output merge as a union, those of input as an intersection, those of both must agree.
    fn merge_values(&mut self, name: &Name, sources: &[Source<'a>]) -> IndexMap<Name, MergedValue> {
        let all: IndexSet<Name> = sources
            .iter()
            .flat_map(|(_, def)| def.values.keys().cloned())
            .collect();
        let input = self.used_as_input.get(name).cloned();
        let output = self.used_as_output.get(name).cloned();
        let mut out = IndexMap::new();
        for value in &all {
            let own: Vec<(usize, &ValueDef)> = sources
                .iter()
                .filter_map(|(index, def)| def.values.get(value).map(|value| (*index, value)))
                .collect();
            let everywhere = own.len() == sources.len();
            let inaccessible = own.iter().any(|(_, def)| has(&def.applied, Known::Inaccessible));
            if !everywhere && !inaccessible {
                match (&input, &output) {
                    (Some(input), Some(output)) => {
                        let message = format!(
                            "Enum type \"{name}\" is used as both input type (for example, as type of \"{input}\") and \
                             output type (for example, as type of \"{output}\"), but value \"{value}\" is not defined in \
                             all the subgraphs defining \"{name}\": it is defined in {} only.",
                            quoted_list(own.iter().map(|(index, _)| self.name(*index)))
                        );
                        self.report.error(ErrorCode::EnumValueMismatch, message);
                    }
                    (Some(_), None) => {
                        let message = format!(
                            "Value \"{value}\" of enum type \"{name}\" will not be part of the supergraph, because it is not \
                             defined in all the subgraphs defining \"{name}\"."
                        );
                        self.report
                            .hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", message);
                        continue;
                    }
                    _ => {
                        let message = format!(
                            "Value \"{value}\" of enum type \"{name}\" has been added to the supergraph but is only defined \
                             in a subset of the subgraphs defining \"{name}\"."
                        );
                        self.report
                            .hint("INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", message);
                    }
                }
            } else if !everywhere && input.is_some() && output.is_none() {
                continue;
            }
            let merged = self.merge_value(name, value, &own);
            out.insert(value.clone(), merged);
        }
        if out.is_empty() {
            self.report.error(
                ErrorCode::EmptyMergedEnumType,
                format!(
                    "None of the values of enum type \"{name}\" are defined consistently in all the subgraphs defining \
                     that type. As only values common to all subgraphs are merged, this would result in an empty type."
                ),
            );
        }
        out
    }

    fn merge_value(&mut self, name: &Name, value: &Name, own: &[(usize, &ValueDef)]) -> MergedValue {
        let place = format!("{name}.{value}");
        let description = self.merge_description(own.iter().map(|(_, def)| def.description.as_ref()), || {
            place.clone()
        });
        let join = own.iter().map(|(index, _)| {
            let args = vec![(build::name("graph"), build::variant(&self.graph(*index)))];
            build::directive(build::name("join__enumValue"), args)
        });
        let mut directives: Vec<Directive> = join.collect();
        let applied: Vec<(usize, &[Applied])> = own
            .iter()
            .map(|(index, def)| (*index, def.applied.as_slice()))
            .collect();
        directives.extend(self.merge_applied(&applied, &place));
        MergedValue {
            name: value.clone(),
            description,
            directives,
        }
    }

    /// Object types get the fields that a subgraph adds to their interface through `@interfaceObject`.
    pub(super) fn add_interface_object_fields(&mut self) {
        let mut additions: Vec<(Name, MergedField)> = Vec::new();
        for object in self
            .out
            .types
            .values()
            .filter(|merged| merged.kind == Kind::Object)
        {
            let mut added: IndexSet<Name> = IndexSet::new();
            for interface in object
                .interfaces
                .iter()
                .filter_map(|name| self.out.types.get(name))
            {
                for field in interface.fields.values() {
                    if object.fields.contains_key(&field.name) || added.contains(&field.name) {
                        continue;
                    }
                    let provided = self.sources.get(&interface.name).is_some_and(|sources| {
                        sources.iter().any(|(_, def)| {
                            def.interface_object
                                && def.fields.get(&field.name).is_some_and(|own| !own.external)
                        })
                    });
                    if !provided {
                        continue;
                    }
                    added.insert(field.name.clone());
                    let mut copy = field.clone();
                    copy.directives
                        .retain(|directive| directive.name != "join__field");
                    copy.directives
                        .insert(0, build::directive(build::name("join__field"), Vec::new()));
                    additions.push((object.name.clone(), copy));
                }
            }
        }
        for (object, field) in additions {
            if let Some(object) = self.out.types.get_mut(&object) {
                object.fields.insert(field.name.clone(), field);
            }
        }
    }
}
