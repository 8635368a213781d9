//! All libraries that are loaded, and which of them are patched already.

use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};

use libc::dl_phdr_info;

use super::hooks::replacements;
use super::patch::{Replacement, holds, patch};

/// What was seen of the loaded libraries.
#[derive(Debug)]
pub struct Objects {
    /// By where they and their headers are.
    seen: BTreeSet<(u64, usize)>,
    /// How many were loaded and unloaded, ever, when they were looked at last.
    counts: (u64, u64),
    /// How many entries are ours.
    patched: usize,
}

struct Look<'a> {
    objects: &'a mut Objects,
    replacements: [Replacement; 4],
    is_first: bool,
}

impl Objects {
    pub const fn new() -> Self {
        Self { seen: BTreeSet::new(), counts: (0, 0), patched: 0 }
    }

    /// Patches what was loaded since the last time; answers whether any entry is ours.
    pub fn patch_new(&mut self) -> bool {
        let mut look = Look { objects: self, replacements: replacements(), is_first: true };
        // SAFETY: the callback gets what it is told here, and each library stays loaded while it looks.
        unsafe { libc::dl_iterate_phdr(Some(next), (&raw mut look).cast()) };
        self.patched > 0
    }
}

unsafe extern "C" fn next(library: *mut dl_phdr_info, _: usize, look: *mut c_void) -> c_int {
    // SAFETY: the loader's library, and what `patch_new` told.
    let (library, look) = unsafe { (&*library, &mut *look.cast::<Look<'_>>()) };
    let objects = &mut *look.objects;
    if std::mem::take(&mut look.is_first) {
        let counts = (library.dlpi_adds, library.dlpi_subs);
        if counts == objects.counts {
            return 1;
        }
        if counts.1 != objects.counts.1 {
            // Another one may stand where one was unloaded.
            objects.seen.clear();
        }
        objects.counts = counts;
    }
    if !objects.seen.insert((library.dlpi_addr, library.dlpi_phdr as usize)) {
        return 0;
    }
    // SAFETY: the library is loaded while it is looked at.
    unsafe {
        // Ours calls the real ones.
        if !holds(library, next as *const () as usize) {
            objects.patched += patch(library, &look.replacements);
        }
    }
    0
}
