//! The entries of one loaded library through which it calls functions of others: those of some names are pointed elsewhere.

use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{Elf64_Addr, Elf64_Phdr, Elf64_Rela, Elf64_Sym, Elf64_Xword, dl_phdr_info};

/// A function, by the name that libraries know it by, and what stands for it.
pub type Replacement = (&'static CStr, usize);

/// The kinds of entry that hold a function's address: by its name for calls, for its address, in data.
#[cfg(target_arch = "x86_64")]
const KINDS: [u64; 3] = [7, 6, 1];
#[cfg(target_arch = "aarch64")]
const KINDS: [u64; 3] = [1026, 1025, 257];

const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
const DT_RELACOUNT: i64 = 0x6fff_fff9;

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: Elf64_Xword,
}

/// Where a library's tables are.
#[derive(Debug, Default)]
struct Tables {
    symbols: usize,
    strings: usize,
    /// Address and count.
    calls: (usize, usize),
    rest: (usize, usize),
}

/// Points the entries of a library to the replacements, and answers how many hold one then. Done again, it does no harm.
///
/// # Safety
/// The library stays loaded meanwhile, and the replacements for good.
pub unsafe fn patch(library: &dl_phdr_info, replacements: &[Replacement]) -> usize {
    // SAFETY: the loader keeps the headers of what is loaded.
    let headers = unsafe { headers(library) };
    let base = library.dlpi_addr;
    let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return 0 };
    // SAFETY: such a header says where the section is.
    let Some(tables) = (unsafe { tables(base, (base + dynamic.p_vaddr) as *const Dynamic) }) else { return 0 };
    let mut entries = Vec::new();
    for (address, count) in [tables.calls, tables.rest] {
        if address == 0 {
            continue;
        }
        // SAFETY: the tables are the library's, and as long as it says.
        for entry in unsafe { std::slice::from_raw_parts(address as *const Elf64_Rela, count) } {
            // SAFETY: as above.
            if let Some(target) = unsafe { replacement(&tables, entry, replacements) } {
                entries.push(((base + entry.r_offset) as usize, target));
            }
        }
    }
    if entries.is_empty() {
        return 0;
    }
    let relro = headers.iter().find(|header| header.p_type == libc::PT_GNU_RELRO).map(|header| {
        let page = page_size();
        let (start, end) = (base + header.p_vaddr, base + header.p_vaddr + header.p_memsz);
        ((start & !(page - 1)) as usize, (end & !(page - 1)) as usize)
    });
    let is_protected = |at: &usize| relro.is_some_and(|(start, end)| (start..end).contains(at));
    let (protected, open): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(at, _)| is_protected(at));
    let mut done = open.len();
    // SAFETY: they are entries of the library, in pages that can be written.
    open.into_iter().for_each(|(at, target)| unsafe { store(at, target) });
    if let (Some((start, end)), false) = (relro, protected.is_empty()) {
        // SAFETY: the library's own pages, which the loader made read-only once it had filled them.
        unsafe {
            let pages = (start as *mut libc::c_void, end - start);
            if libc::mprotect(pages.0, pages.1, libc::PROT_READ | libc::PROT_WRITE) == 0 {
                done += protected.len();
                protected.into_iter().for_each(|(at, target)| store(at, target));
                libc::mprotect(pages.0, pages.1, libc::PROT_READ);
            }
        }
    }
    done
}

/// Whether an address lies in the library.
///
/// # Safety
/// The library stays loaded meanwhile.
pub unsafe fn holds(library: &dl_phdr_info, address: usize) -> bool {
    // SAFETY: by the caller's promise.
    unsafe { headers(library) }.iter().filter(|header| header.p_type == libc::PT_LOAD).any(|header| {
        let start = (library.dlpi_addr + header.p_vaddr) as usize;
        (start..start + header.p_memsz as usize).contains(&address)
    })
}

unsafe fn headers(library: &dl_phdr_info) -> &[Elf64_Phdr] {
    if library.dlpi_phdr.is_null() {
        return &[];
    }
    // SAFETY: so many headers the loader says that there are.
    unsafe { std::slice::from_raw_parts(library.dlpi_phdr, library.dlpi_phnum.into()) }
}

unsafe fn tables(base: Elf64_Addr, mut section: *const Dynamic) -> Option<Tables> {
    // Most loaders add where the library is; what is below it, they did not.
    let placed = |value: u64| if value < base { (base + value) as usize } else { value as usize };
    let (mut tables, mut sizes, mut plain) = (Tables::default(), (0, 0), 0);
    loop {
        // SAFETY: the section ends with a null tag.
        let Dynamic { tag, value } = unsafe { section.read() };
        match tag {
            0 => break,
            DT_STRTAB => tables.strings = placed(value),
            DT_SYMTAB => tables.symbols = placed(value),
            DT_JMPREL => tables.calls.0 = placed(value),
            DT_PLTRELSZ => sizes.0 = value as usize,
            DT_RELA => tables.rest.0 = placed(value),
            DT_RELASZ => sizes.1 = value as usize,
            DT_RELACOUNT => plain = value as usize,
            _ => {}
        }
        // SAFETY: it was not the last one.
        section = unsafe { section.add(1) };
    }
    let each = size_of::<Elf64_Rela>();
    tables.calls.1 = sizes.0 / each;
    // Those without a symbol stand first, and are by far the most.
    tables.rest.1 = (sizes.1 / each).saturating_sub(plain);
    tables.rest.0 = if tables.rest.0 == 0 { 0 } else { tables.rest.0 + plain * each };
    (tables.symbols != 0 && tables.strings != 0).then_some(tables)
}

/// What an entry is to point to, where it is one of a function of another library's with a name that is replaced.
unsafe fn replacement(tables: &Tables, entry: &Elf64_Rela, replacements: &[Replacement]) -> Option<usize> {
    if !KINDS.contains(&(entry.r_info & 0xffff_ffff)) || entry.r_addend != 0 {
        return None;
    }
    let symbol = (entry.r_info >> 32) as usize;
    // SAFETY: an entry's symbol stands in the library's table, and its name in that of strings.
    let name = unsafe {
        let symbol = &*(tables.symbols as *const Elf64_Sym).add(symbol);
        if symbol.st_shndx != 0 {
            return None;
        }
        CStr::from_ptr((tables.strings as *const c_char).add(symbol.st_name as usize))
    };
    replacements.iter().find(|(replaced, _)| *replaced == name).map(|(_, target)| *target)
}

/// Other threads call through the entry meanwhile.
unsafe fn store(at: usize, target: usize) {
    // SAFETY: an aligned word of the library's, by the caller's promise.
    unsafe { AtomicUsize::from_ptr(at as *mut usize) }.store(target, Ordering::Release);
}

fn page_size() -> u64 {
    // SAFETY: asks for a number alone.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
