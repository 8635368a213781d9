//! Tells the linker that Node brings the symbols of its API.

fn main() {
    napi_build::setup();
}
