//! Everything the lab keeps, by name. Loaded from the state folder at start; whoever changes an entity saves it.

use std::collections::BTreeMap;
use std::io;

use super::automation::execution::Execution;
use super::lambda::function::Function;
use super::lambda::layers::Layer;
use super::lambda::signing::SigningConfig;
use super::ssm::documents::Document;
use super::ssm::parameters::Parameter;
use super::store::Store;

/// The state.
#[derive(Debug, Default)]
pub struct World {
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Layers by name.
    pub layers: BTreeMap<String, Layer>,
    /// Code-signing configurations by id.
    pub signing: BTreeMap<String, SigningConfig>,
    /// Parameters by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// Documents by name.
    pub documents: BTreeMap<String, Document>,
    /// Automation executions by id.
    pub executions: BTreeMap<String, Execution>,
}

impl World {
    /// The kinds of entity, as the folders are called.
    pub const KINDS: [&'static str; 6] = ["functions", "layers", "signing", "parameters", "documents", "executions"];

    /// Reads the state.
    pub fn load(store: &Store) -> io::Result<World> {
        let mut world = World::default();
        world.functions.extend(store.load("functions")?.into_iter().map(|one: Function| (one.name.clone(), one)));
        world.layers.extend(store.load("layers")?.into_iter().map(|one: Layer| (one.name.clone(), one)));
        world.signing.extend(store.load("signing")?.into_iter().map(|one: SigningConfig| (one.id.clone(), one)));
        world.parameters.extend(store.load("parameters")?.into_iter().map(|one: Parameter| (one.name.clone(), one)));
        world.documents.extend(store.load("documents")?.into_iter().map(|one: Document| (one.name.clone(), one)));
        world.executions.extend(store.load("executions")?.into_iter().map(|one: Execution| (one.id.clone(), one)));
        Ok(world)
    }
}
