//! Reads the JVM's strings and byte arrays, an event's where they are, and makes arrays of strings. Owns no meaning.
//!
//! All by the raw function table: the safe one looks classes up by whatever loader the thread has at the moment, which the
//! function may have replaced, and its `with_env` alone costs some 50 ns a call.

use std::borrow::Cow;
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::{ptr, slice};

use faultlayer_core::boundary::Wide;
use faultlayer_core::matching::{Source, Walk};
use jni_sys::{_jobject, JNI_ABORT, JNIEnv, jarray, jclass, jfieldID, jobject, jobjectArray, jsize, jstring, jvalue};

/// A class by its name, once it was needed; held for the process.
struct Class(AtomicPtr<_jobject>, &'static CStr);

static STRING: Class = Class(AtomicPtr::new(ptr::null_mut()), c"java/lang/String");
static SYSTEM: Class = Class(AtomicPtr::new(ptr::null_mut()), c"java/lang/System");
static STREAM: Class = Class(AtomicPtr::new(ptr::null_mut()), c"java/io/ByteArrayInputStream");

/// A field of [`STREAM`] by its name and type, once it was needed: finding it takes as long as a short event. The class is held,
/// so that the field's number stays what it is.
struct Field(AtomicPtr<c_void>, &'static CStr, &'static CStr);

static BUFFER: Field = Field(AtomicPtr::new(ptr::null_mut()), c"buf", c"[B");
static POSITION: Field = Field(AtomicPtr::new(ptr::null_mut()), c"pos", c"I");
static COUNT: Field = Field(AtomicPtr::new(ptr::null_mut()), c"count", c"I");

/// Request ids have 36 characters, ARNs some 100.
const SHORT: usize = 160;
/// The most bytes that the JVM makes of a character, and its closing zero.
const NARROW: usize = SHORT * 3 + 1;

/// What is told of a call to AWS has some 400, presigned and session tokens aside.
const FEW: usize = 1024;

/// The JVM's environment of the thread that called the native method, for as long as that method runs.
#[derive(Clone, Copy)]
pub struct Jvm(*mut JNIEnv);

/// Room for a short string, on the stack.
pub struct Room([u8; NARROW]);

impl Room {
    pub const fn new() -> Self {
        Self([0; NARROW])
    }
}

impl Jvm {
    /// # Safety
    /// `env` is what the JVM passed to the native method that is running.
    pub const unsafe fn new(env: *mut JNIEnv) -> Self {
        Self(env)
    }

    /// For what is not strings and arrays.
    pub const fn raw(self) -> *mut JNIEnv {
        self.0
    }

    /// A string's text; `None` for null. A lone surrogate, which no Rust string can hold, becomes U+FFFD.
    pub fn text<'room>(self, string: jstring, room: &'room mut Room) -> Option<Cow<'room, str>> {
        if string.is_null() {
            return None;
        }
        // SAFETY: `self.0` is the running thread's environment, `string` a live local reference to a string.
        let length = unsafe { ((**self.0).v1_2.GetStringLength)(self.0, string) };
        let count = usize::try_from(length).ok()?;
        if count <= SHORT {
            // SAFETY: as above; the buffer has room for the longest form of so many characters and the closing zero.
            unsafe { ((**self.0).v1_2.GetStringUTFRegion)(self.0, string, 0, length, room.0.as_mut_ptr().cast()) }
            // The JVM's form is UTF-8 for ASCII alone, and then there is one byte for each character.
            if let Some((text, rest)) = room.0.split_at_checked(count)
                && text.is_ascii()
                && rest.first() == Some(&0)
            {
                return std::str::from_utf8(text).ok().map(Cow::Borrowed);
            }
        }
        let mut wide = vec![0_u16; count];
        self.region(string, length, &mut wide);
        Some(Cow::Owned(String::from_utf16_lossy(&wide)))
    }

    /// The text of a string of `length` characters, without room of its own; `None` for one that is long or not of ASCII alone.
    pub fn plain(self, string: jstring, length: jsize, room: &mut Wide) -> Option<&str> {
        if string.is_null() {
            return None;
        }
        let count = usize::try_from(length).ok()?;
        self.region(string, length, room.units().get_mut(..count)?);
        room.text(count)
    }

    fn region(self, string: jstring, length: jsize, buffer: &mut [u16]) {
        debug_assert_eq!(buffer.len(), usize::try_from(length).unwrap_or_default());
        // SAFETY: as in `text`; the buffer has room for `length` characters, all of which the string has.
        unsafe { ((**self.0).v1_2.GetStringRegion)(self.0, string, 0, length, buffer.as_mut_ptr()) }
    }

    /// The bytes of a `byte[]`; `None` for null.
    pub fn bytes(self, array: jarray) -> Option<Vec<u8>> {
        if array.is_null() {
            return None;
        }
        // SAFETY: `self.0` is the running thread's environment, `array` a live local reference to a byte array.
        let length = unsafe { ((**self.0).v1_2.GetArrayLength)(self.0, array) };
        let mut bytes = vec![0_u8; usize::try_from(length).ok()?];
        // SAFETY: as above; the buffer has room for all of the array, and any byte is a valid `u8` as well as `i8`.
        unsafe { ((**self.0).v1_2.GetByteArrayRegion)(self.0, array, 0, length, bytes.as_mut_ptr().cast()) }
        Some(bytes)
    }

    /// As [`Jvm::bytes`], without room of their own for few of them; none for null.
    pub fn with_bytes<T>(self, array: jarray, use_them: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: as in `bytes`.
        let length = if array.is_null() { 0 } else { unsafe { ((**self.0).v1_2.GetArrayLength)(self.0, array) } };
        let mut room = [0_u8; FEW];
        match usize::try_from(length).ok().and_then(|count| room.get_mut(..count)) {
            Some([]) => use_them(&[]),
            Some(few) => {
                // SAFETY: as in `bytes`; `few` has room for all of the array.
                unsafe { ((**self.0).v1_2.GetByteArrayRegion)(self.0, array, 0, length, few.as_mut_ptr().cast()) }
                use_them(few)
            }
            None => use_them(&self.bytes(array).unwrap_or_default()),
        }
    }

    /// A `byte[]`; null if the JVM has no room for it, and then an error is pending there.
    pub fn byte_array(self, bytes: &[u8]) -> jarray {
        let Ok(length) = jsize::try_from(bytes.len()) else { return ptr::null_mut() };
        // SAFETY: `self.0` is the running thread's environment; the array has room for all of `bytes`.
        unsafe {
            let array = ((**self.0).v1_2.NewByteArray)(self.0, length);
            if !array.is_null() {
                ((**self.0).v1_2.SetByteArrayRegion)(self.0, array, 0, length, bytes.as_ptr().cast());
            }
            array
        }
    }

    /// Defines a class in a loader, whatever its package; null if that fails, and then an error is pending in the JVM.
    pub fn define(self, loader: jobject, class: jarray) -> jclass {
        let bytes = self.bytes(class).unwrap_or_default();
        let Ok(length) = jsize::try_from(bytes.len()) else { return ptr::null_mut() };
        // SAFETY: `self.0` is the running thread's environment, `loader` a live local reference to a class loader; the JVM
        // checks the bytes, and takes the name that stands in them.
        unsafe { ((**self.0).v1_2.DefineClass)(self.0, ptr::null(), loader, bytes.as_ptr().cast(), length) }
    }

    /// An event: a `byte[]`, or a `ByteArrayInputStream` of which the rest is meant, whose state stays. `None` for null.
    pub fn event(self, given: jobject) -> Option<Event> {
        let stream = self.class(&STREAM);
        if given.is_null() || stream.is_null() {
            return None;
        }
        // SAFETY: `self.0` is the running thread's environment, `given` a live local reference, `stream` one to a class.
        let is_stream = unsafe { ((**self.0).v1_2.IsInstanceOf)(self.0, given, stream) };
        let (array, rest) =
            if is_stream { (self.buffer(given, stream)?, Some(self.rest(given, stream)?)) } else { (given, None) };
        // SAFETY: as above; the buffer of such a stream is a byte array, and so is all else that the Java side hands in.
        let length = usize::try_from(unsafe { ((**self.0).v1_2.GetArrayLength)(self.0, array) }).ok()?;
        let (start, end) = rest.unwrap_or((0, length));
        (start <= end && end <= length).then_some(Event { jvm: self, array, start, end })
    }

    fn buffer(self, given: jobject, stream: jclass) -> Option<jarray> {
        let field = self.field(stream, &BUFFER);
        if field.is_null() {
            return None;
        }
        // SAFETY: as in `event`; the field is of that class, and its reference lives until the native method returns.
        let array = unsafe { ((**self.0).v1_2.GetObjectField)(self.0, given, field) };
        (!array.is_null()).then_some(array)
    }

    /// Where the rest of a stream begins and ends in its buffer.
    fn rest(self, given: jobject, stream: jclass) -> Option<(usize, usize)> {
        let number = |field: &Field| {
            let field = self.field(stream, field);
            // SAFETY: as in `buffer`.
            let number = if field.is_null() { -1 } else { unsafe { ((**self.0).v1_2.GetIntField)(self.0, given, field) } };
            usize::try_from(number).ok()
        };
        Some((number(&POSITION)?, number(&COUNT)?))
    }

    /// Null if the JDK's class has none, and then an error is pending in the JVM.
    fn field(self, stream: jclass, field: &Field) -> jfieldID {
        let known = field.0.load(Ordering::Acquire);
        if !known.is_null() {
            return known.cast();
        }
        // SAFETY: `self.0` is the running thread's environment, `stream` a live reference to a class; name and type are closed
        // by a zero.
        let found = unsafe { ((**self.0).v1_2.GetFieldID)(self.0, stream, field.1.as_ptr(), field.2.as_ptr()) };
        field.0.store(found.cast(), Ordering::Release);
        found
    }

    /// Takes what later calls need, while nobody can have replaced what classes are looked up by.
    pub fn take_classes(self) {
        self.class(&STRING);
        self.class(&STREAM);
        self.class(&SYSTEM);
    }

    /// A system property, if it is set.
    pub fn property(self, name: &str) -> Option<String> {
        let (system, name) = (self.class(&SYSTEM), self.string(Some(name)));
        if system.is_null() || name.is_null() {
            return None;
        }
        let (method, of_type) = (c"getProperty", c"(Ljava/lang/String;)Ljava/lang/String;");
        // SAFETY: `self.0` is the running thread's environment, `system` a live reference to a class, `name` one to a string,
        // which the method of that type takes; an error that it threw is pending no more.
        let value = unsafe {
            let method = ((**self.0).v1_2.GetStaticMethodID)(self.0, system, method.as_ptr(), of_type.as_ptr());
            if method.is_null() {
                return None;
            }
            let value = ((**self.0).v1_2.CallStaticObjectMethodA)(self.0, system, method, &jvalue { l: name });
            ((**self.0).v1_2.ExceptionClear)(self.0);
            value
        };
        self.text(value, &mut Room::new()).map(Cow::into_owned)
    }

    /// Null if it cannot be found, and then an error is pending in the JVM.
    fn class(self, class: &Class) -> jclass {
        let known = class.0.load(Ordering::Acquire);
        if !known.is_null() {
            return known;
        }
        // SAFETY: `self.0` is the running thread's environment; the name is closed by a zero.
        let found = unsafe { ((**self.0).v1_2.FindClass)(self.0, class.1.as_ptr()) };
        if found.is_null() {
            return found;
        }
        // SAFETY: as above; `found` is a live local reference. Where two threads do this, one reference is held for nothing.
        let global = unsafe { ((**self.0).v1_2.NewGlobalRef)(self.0, found) };
        class.0.store(global, Ordering::Release);
        global
    }

    /// An array of strings; null if the JVM has no room for it, and then an error is pending there.
    pub fn strings<'a>(self, values: impl ExactSizeIterator<Item = Option<&'a str>>) -> jobjectArray {
        let (class, length) = (self.class(&STRING), jsize::try_from(values.len()).unwrap_or_default());
        if class.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: `self.0` is the running thread's environment, `class` a live reference to a class.
        let array = unsafe { ((**self.0).v1_2.NewObjectArray)(self.0, length, class, ptr::null_mut()) };
        if array.is_null() {
            return array;
        }
        for (index, value) in (0..length).zip(values) {
            let Some(value) = value else { continue };
            let string = self.string(Some(value));
            if string.is_null() {
                return string;
            }
            // SAFETY: as above; `array` and `string` are live local references, `index` is below the array's length.
            unsafe {
                ((**self.0).v1_2.SetObjectArrayElement)(self.0, array, index, string);
                ((**self.0).v1_2.DeleteLocalRef)(self.0, string);
            }
        }
        array
    }

    /// A string; null for `None`, or if the JVM has no room for it, and then an error is pending there.
    pub fn string(self, value: Option<&str>) -> jstring {
        let Some(value) = value else {
            return ptr::null_mut();
        };
        let wide: Vec<u16> = value.encode_utf16().collect();
        let Ok(length) = jsize::try_from(wide.len()) else {
            return ptr::null_mut();
        };
        // SAFETY: `self.0` is the running thread's environment; the buffer has `length` characters.
        unsafe { ((**self.0).v1_2.NewString)(self.0, wide.as_ptr(), length) }
    }

    /// The elements of a `String[]`; empty for null.
    pub fn elements(self, array: jobjectArray) -> Vec<Option<String>> {
        if array.is_null() {
            return Vec::new();
        }
        // SAFETY: as in `bytes`.
        let length = unsafe { ((**self.0).v1_2.GetArrayLength)(self.0, array) };
        (0..length)
            .map(|index| {
                // SAFETY: as above; `index` is below the array's length.
                let element = unsafe { ((**self.0).v1_2.GetObjectArrayElement)(self.0, array, index) };
                let text = self.text(element, &mut Room::new()).map(Cow::into_owned);
                if !element.is_null() {
                    // SAFETY: a local reference made just now, not used again.
                    unsafe { ((**self.0).v1_2.DeleteLocalRef)(self.0, element) }
                }
                text
            })
            .collect()
    }
}

/// An event's raw bytes in an array of the JVM's, read in place: a copy would take its size again, from memory that the
/// function was promised.
pub struct Event {
    jvm: Jvm,
    array: jarray,
    start: usize,
    end: usize,
}

impl Source for Event {
    fn read(&self, walk: &mut Walk<'_>) {
        if let Some(held) = Held::of(self) {
            walk.json(held.bytes());
        }
    }
}

/// While it is held, the JVM leaves the array where it is, and nothing may be asked of it.
struct Held<'a> {
    event: &'a Event,
    first: *mut c_void,
}

impl<'a> Held<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let env = event.jvm.0;
        // SAFETY: `env` is the running thread's environment, the array a live local reference to a byte array.
        let first = unsafe { ((**env).v1_2.GetPrimitiveArrayCritical)(env, event.array, ptr::null_mut()) };
        (!first.is_null()).then_some(Self { event, first })
    }

    fn bytes(&self) -> &[u8] {
        let Event { start, end, .. } = *self.event;
        // SAFETY: the array has at least `end` bytes, and stays until `self` is dropped. Nobody else writes to the event while
        // the client hands it over.
        unsafe { slice::from_raw_parts(self.first.cast::<u8>().add(start), end - start) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let (env, array) = (self.event.jvm.0, self.event.array);
        // SAFETY: what `of` got of the same array, given back once, with nothing written to it.
        unsafe { ((**env).v1_2.ReleasePrimitiveArrayCritical)(env, array, self.first, JNI_ABORT) }
    }
}
