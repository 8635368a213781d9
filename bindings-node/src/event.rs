//! Reading an event from JavaScript's own objects: what a plan's patterns name and nothing else.
//!
//! Each question to JavaScript costs tens of nanoseconds, a property by name a few hundred. So JavaScript itself gathers the
//! leaves of an event in which no array and no dotted key stands on a path ([`Leaves`]); any other event is walked from here.
//! What a walk looks at is let go of as it goes on ([`Scope`]): an array of millions takes no more than one of ten.

#![expect(unsafe_code, reason = "the safe wrappers copy each text several times and hold every value until the call returns")]

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::ptr;

use faultlayer_core::matching::{Key, Kind, MAX_BYTES, Node, Paths, Patterns, Source, Walk};
use napi::bindgen_prelude::{JsValue, Unknown};
use napi::sys;

/// An event as JavaScript handed it over.
pub struct Event<'a> {
    event: Unknown<'a>,
    runs: Option<Runs>,
}

impl<'a> Event<'a> {
    /// `runs`: what takes numbers of an array, and the `Float64Array` that it puts them into.
    pub fn new(event: Unknown<'a>, runs: Option<(Unknown<'a>, Unknown<'a>)>) -> Self {
        let runs = runs.and_then(|(take, room)| Runs::new(take.value().value, &room));
        Self { event, runs }
    }
}

impl Source for Event<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        let event = self.event.value();
        walk.node(&Value { runs: self.runs, ..Value::of(event.env, event.value) });
    }
}

/// Hands over the numbers of an array by the hundreds: one by one, each costs several questions.
#[derive(Clone, Copy)]
struct Runs {
    take: sys::napi_value,
    room: *const f64,
    length: usize,
}

impl Runs {
    fn new(take: sys::napi_value, room: &Unknown<'_>) -> Option<Self> {
        let (env, room) = (room.value().env, room.value().value);
        let (mut kind, mut length, mut first) = (0, 0, ptr::null_mut());
        let (kind_at, length_at, first_at) = (&raw mut kind, &raw mut length, &raw mut first);
        // SAFETY: as in `done`; the last two, which nobody needs, may be null.
        let status =
            unsafe { sys::napi_get_typedarray_info(env, room, kind_at, length_at, first_at, ptr::null_mut(), ptr::null_mut()) };
        done(env, status)?;
        (kind == sys::TypedarrayType::float64_array).then_some(Self { take, room: first.cast_const().cast(), length })
    }

    /// How many numbers of `array` from `index` on stand in the room now.
    fn fill(&self, array: Value, index: u32) -> Option<usize> {
        let _scope = Scope::open(array.env)?;
        let (mut from, mut answer, mut count) = (ptr::null_mut(), ptr::null_mut(), 0);
        // SAFETY: as in `Value::element`, so for the rest of this function.
        done(array.env, unsafe { sys::napi_create_uint32(array.env, index, &raw mut from) })?;
        let given = [array.value, from];
        // SAFETY: as above; the arguments are as many as it says.
        let status =
            unsafe { sys::napi_call_function(array.env, array.value, self.take, given.len(), given.as_ptr(), &raw mut answer) };
        done(array.env, status)?;
        // SAFETY: as above.
        done(array.env, unsafe { sys::napi_get_value_uint32(array.env, answer, &raw mut count) })?;
        Some(self.length.min(count as usize))
    }

    fn number(&self, at: usize) -> f64 {
        debug_assert!(at < self.length);
        // SAFETY: the room has so many; JavaScript, which owns it, does not run while this does, and it never moves.
        unsafe { self.room.add(at).read() }
    }
}

/// The leaves of an event, gathered by JavaScript in the order of the paths of `patterns`.
pub struct Gathered<'a> {
    pub patterns: &'a Patterns,
    pub tree: &'a Tree,
    /// Of the call that runs, as its arguments are.
    pub env: sys::napi_env,
    pub leaves: &'a [sys::napi_value],
}

impl Source for Gathered<'_> {
    fn read(&self, walk: &mut Walk<'_>) {
        // Leaves that were gathered for a plan which was replaced since say nothing.
        if ptr::eq(self.patterns, walk.patterns()) {
            walk.node(&Leaves { gathered: self, at: 0, leaf: None });
        }
    }
}

/// The names of a plan's paths as a tree, and which gathered leaf stands where.
pub struct Tree {
    nodes: Vec<TreeNode>,
}

#[derive(Default)]
struct TreeNode {
    children: Vec<(Box<str>, usize)>,
    leaf: Option<usize>,
}

impl Tree {
    /// For leaves that come in the order of `paths`.
    pub fn new(paths: &Paths) -> Self {
        let mut tree = Self { nodes: vec![TreeNode::default()] };
        for (leaf, path) in paths.iter().enumerate() {
            let at = path.split('.').fold(0, |at, name| tree.child(at, name).unwrap_or_else(|| tree.grow(at, name)));
            if let Some(node) = tree.nodes.get_mut(at) {
                node.leaf = Some(leaf);
            }
        }
        tree
    }

    fn child(&self, at: usize, name: &str) -> Option<usize> {
        self.nodes.get(at)?.children.iter().find(|(child, _)| **child == *name).map(|(_, child)| *child)
    }

    fn grow(&mut self, at: usize, name: &str) -> usize {
        let child = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(at) {
            node.children.push((name.into(), child));
        }
        self.nodes.push(TreeNode::default());
        child
    }
}

/// An object of a gathered event, or one of its leaves.
struct Leaves<'a> {
    gathered: &'a Gathered<'a>,
    at: usize,
    leaf: Option<Value>,
}

impl Node for Leaves<'_> {
    fn kind(&self) -> Kind {
        self.leaf.map_or(Kind::Object, |leaf| leaf.kind)
    }

    fn text(&self, enough: usize) -> Option<Cow<'_, str>> {
        self.leaf.as_ref()?.text(enough)
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        let Gathered { tree, env, leaves, .. } = self.gathered;
        let at = tree.child(self.at, key.text)?;
        let leaf = tree.nodes.get(at)?.leaf.and_then(|leaf| leaves.get(leaf));
        let leaf = leaf.map(|leaf| Value::of(*env, *leaf)).filter(|leaf| leaf.kind != Kind::Other);
        Some(Leaves { at, leaf, ..*self })
    }

    fn each(&self, _visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {}
}

/// A value of the event, looked at once. What cannot be read counts as not there.
#[derive(Clone, Copy)]
struct Value {
    env: sys::napi_env,
    value: sys::napi_value,
    kind: Kind,
    runs: Option<Runs>,
}

/// Whether JavaScript did what it was asked to. What the function's own code throws while a property is read is dropped.
fn done(env: sys::napi_env, status: sys::napi_status) -> Option<()> {
    if status == sys::Status::napi_pending_exception {
        let mut thrown = ptr::null_mut();
        // SAFETY: `env` is the environment of the call that runs; so everywhere here, and results are places of our own.
        unsafe { sys::napi_get_and_clear_last_exception(env, &raw mut thrown) };
    }
    (status == sys::Status::napi_ok).then_some(())
}

impl Value {
    fn of(env: sys::napi_env, value: sys::napi_value) -> Self {
        Self { env, value, kind: kind(env, value).unwrap_or(Kind::Other), runs: None }
    }

    fn element(self, index: u32) -> Option<Self> {
        let mut element = ptr::null_mut();
        // SAFETY: as in `done`; the value is alive until its scope ends.
        done(self.env, unsafe { sys::napi_get_element(self.env, self.value, index, &raw mut element) })?;
        Some(Self { runs: self.runs, ..Self::of(self.env, element) })
    }

    /// Writes at most `room` bytes, whole characters alone, and answers what was written.
    fn copy(self, room: usize) -> Option<String> {
        let mut bytes = Vec::<u8>::with_capacity(room + 1);
        let (buffer, size, mut written) = (bytes.as_mut_ptr().cast(), bytes.capacity(), 0);
        // SAFETY: as in `element`; the buffer has so many bytes.
        done(self.env, unsafe { sys::napi_get_value_string_utf8(self.env, self.value, buffer, size, &raw mut written) })?;
        // SAFETY: so many were written.
        unsafe { bytes.set_len(written) };
        String::from_utf8(bytes).ok()
    }

    /// The bytes of its text.
    fn length(self) -> Option<usize> {
        let mut length = 0;
        // SAFETY: as in `element`; without a buffer nothing but the length is written.
        let status = unsafe { sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &raw mut length) };
        done(self.env, status)?;
        Some(length)
    }
}

fn kind(env: sys::napi_env, value: sys::napi_value) -> Option<Kind> {
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: as in `Value::element`, so for the rest of this function.
    done(env, unsafe { sys::napi_typeof(env, value, &raw mut kind) })?;
    Some(match kind {
        sys::ValueType::napi_string => Kind::Text,
        sys::ValueType::napi_number => {
            let mut number = 0.0;
            // SAFETY: as above.
            done(env, unsafe { sys::napi_get_value_double(env, value, &raw mut number) })?;
            Kind::Number(number)
        }
        sys::ValueType::napi_boolean => {
            let mut truth = false;
            // SAFETY: as above.
            done(env, unsafe { sys::napi_get_value_bool(env, value, &raw mut truth) })?;
            Kind::Bool(truth)
        }
        sys::ValueType::napi_null => Kind::Null,
        sys::ValueType::napi_object => {
            let mut is_array = false;
            // SAFETY: as above.
            done(env, unsafe { sys::napi_is_array(env, value, &raw mut is_array) })?;
            if is_array { Kind::Array } else { Kind::Object }
        }
        _ => Kind::Other,
    })
}

impl Node for Value {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn text(&self, enough: usize) -> Option<Cow<'_, str>> {
        /// Most texts have less.
        const SHORT: usize = 200;
        /// The most bytes of a character: with less room left, the text may go on.
        const CHARACTER: usize = 4;
        let short = self.copy(SHORT)?;
        if short.len() >= enough || short.len() <= SHORT - CHARACTER {
            return Some(short.into());
        }
        let room = match enough.checked_add(CHARACTER) {
            Some(room) if room <= MAX_BYTES => room,
            _ => self.length().filter(|length| *length <= MAX_BYTES)?,
        };
        self.copy(room).map(Cow::Owned)
    }

    fn get(&self, key: Key<'_>) -> Option<Self> {
        let (env, object) = (self.env, self.value);
        let mut name = ptr::null_mut();
        let length = isize::try_from(key.text.len()).ok()?;
        // SAFETY: as in `Value::element`, so for the rest of this function; the text is read before the call returns.
        done(env, unsafe { sys::napi_create_string_utf8(env, key.text.as_ptr().cast(), length, &raw mut name) })?;
        // What every object inherits are functions, which JSON has not and which count as not there, and this.
        if key.text == "__proto__" {
            let mut own = false;
            // SAFETY: as above.
            done(env, unsafe { sys::napi_has_own_property(env, object, name, &raw mut own) })?;
            own.then_some(())?;
        }
        let mut value = ptr::null_mut();
        // SAFETY: as above.
        done(env, unsafe { sys::napi_get_property(env, object, name, &raw mut value) })?;
        Some(Self { runs: self.runs, ..Self::of(env, value) })
    }

    fn each(&self, visit: &mut dyn FnMut(Self) -> ControlFlow<()>) {
        let mut length = 0;
        // SAFETY: as in `Value::element`.
        if done(self.env, unsafe { sys::napi_get_array_length(self.env, self.value, &raw mut length) }).is_none() {
            return;
        }
        let mut index = 0;
        while index < length {
            if let Some(runs) = self.runs.filter(|_| length - index > SCOPE) {
                let count = runs.fill(*self, index).unwrap_or_default();
                for at in 0..count {
                    if visit(Self { kind: Kind::Number(runs.number(at)), ..*self }).is_break() {
                        return;
                    }
                }
                index += u32::try_from(count).unwrap_or_default();
            }
            // What is none, or whatever an array ends with, one by one for a while.
            let _scope = Scope::open(self.env);
            for _ in 0..SCOPE.min(length.saturating_sub(index)) {
                let Some(element) = self.element(index) else { return };
                if visit(element).is_break() {
                    return;
                }
                index += 1;
            }
        }
    }
}

/// After so many elements JavaScript may let go of them.
const SCOPE: u32 = 64;

/// What JavaScript hands out while it is open is let go of when it closes.
struct Scope {
    env: sys::napi_env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    fn open(env: sys::napi_env) -> Option<Self> {
        let mut scope = ptr::null_mut();
        // SAFETY: as in `done`.
        done(env, unsafe { sys::napi_open_handle_scope(env, &raw mut scope) })?;
        Some(Self { env, scope })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: it was opened in this environment, inside of all that are still open; no value of it is used after it.
        unsafe { sys::napi_close_handle_scope(self.env, self.scope) };
    }
}
