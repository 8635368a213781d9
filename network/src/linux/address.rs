//! Addresses as the C library has them, and which of them nobody may hit.

use std::mem::{MaybeUninit, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{AF_INET, AF_INET6, c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};

/// An address in the C library's form.
pub struct Raw {
    storage: sockaddr_storage,
    len: socklen_t,
}

impl Raw {
    /// For a socket of this family: on a v6 one, a v4 address is mapped.
    pub fn of(address: SocketAddr, family: c_int) -> Self {
        // SAFETY: all zeros is a valid `sockaddr_storage`.
        let mut storage: sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
        let len = match (address, family) {
            (SocketAddr::V4(v4), AF_INET) => {
                // SAFETY: a `sockaddr_storage` has room and alignment for every kind of address.
                let raw = unsafe { &mut *(&raw mut storage).cast::<sockaddr_in>() };
                raw.sin_family = AF_INET as _;
                raw.sin_port = v4.port().to_be();
                raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
                size_of::<sockaddr_in>()
            }
            (address, _) => {
                let (ip, scope) = match address {
                    SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
                    SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
                };
                // SAFETY: as above.
                let raw = unsafe { &mut *(&raw mut storage).cast::<sockaddr_in6>() };
                raw.sin6_family = AF_INET6 as _;
                raw.sin6_port = address.port().to_be();
                raw.sin6_addr.s6_addr = ip.octets();
                raw.sin6_scope_id = scope;
                size_of::<sockaddr_in6>()
            }
        };
        Self { storage, len: len as socklen_t }
    }

    pub const fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.storage).cast()
    }

    pub const fn len(&self) -> socklen_t {
        self.len
    }

    /// Writes it where `getpeername` writes: as much as there is room for, and the length that it has.
    ///
    /// # Safety
    /// `to` has room for `*room` bytes, and `room` is valid.
    pub unsafe fn write(&self, to: *mut sockaddr, room: *mut socklen_t) {
        // SAFETY: by the caller's promise; no more is read than the address has.
        unsafe {
            let len = self.len.min(*room) as usize;
            std::ptr::copy_nonoverlapping((&raw const self.storage).cast::<u8>(), to.cast::<u8>(), len);
            *room = self.len;
        }
    }
}

/// The address of IP that it is, if it is one: its family, and the address with a mapped v4 one as v4.
///
/// # Safety
/// `raw` is null or has `len` bytes.
pub unsafe fn read(raw: *const sockaddr, len: socklen_t) -> Option<(c_int, SocketAddr)> {
    if raw.is_null() || (len as usize) < size_of::<sockaddr_in>() {
        return None;
    }
    // SAFETY: it has at least so many bytes; callers of the C library need not align it.
    let v4 = unsafe { raw.cast::<sockaddr_in>().read_unaligned() };
    let family = c_int::from(v4.sin_family);
    match family {
        AF_INET => {
            let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
            Some((family, SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into()))
        }
        // A `sockaddr_in6` without its scope is allowed, as RFC 2133 had it; nobody sends one.
        AF_INET6 if len as usize >= size_of::<sockaddr_in6>() => {
            // SAFETY: as above.
            let v6 = unsafe { raw.cast::<sockaddr_in6>().read_unaligned() };
            let (ip, port) = (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port));
            Some((
                family,
                match ip.to_ipv4_mapped() {
                    Some(v4) => SocketAddrV4::new(v4, port).into(),
                    None => SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into(),
                },
            ))
        }
        _ => None,
    }
}

/// Whether no pattern covers it, but only what names it exactly.
pub fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

/// What the execution environment itself lives from, however it is named: extensions' ports, and the addresses of
/// credentials, metadata and the trace daemon. The Runtime API's address, which differs, a [`crate::Watch`] knows.
pub fn is_never(address: SocketAddr) -> bool {
    let IpAddr::V4(v4) = address.ip() else { return false };
    match v4.octets() {
        [127, ..] => matches!(address.port(), 2772 | 2773),
        [169, 254, 169, 253 | 254] | [169, 254, 78 | 79 | 100 | 170, _] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use libc::{AF_INET, AF_INET6};

    use super::{Raw, is_near, is_never, read};

    #[test]
    fn an_address_is_the_same_in_the_c_librarys_form_and_mapped_on_a_v6_socket() {
        for (text, family) in [
            ("10.1.2.3:443", AF_INET),
            ("10.1.2.3:443", AF_INET6),
            ("[2001:db8::1]:5432", AF_INET6),
            ("[fe80::1%3]:80", AF_INET6),
        ] {
            let address: SocketAddr = text.parse().unwrap();
            let raw = Raw::of(address, family);
            // SAFETY: it is an address of so many bytes.
            assert_eq!(unsafe { read(raw.as_ptr(), raw.len()) }, Some((family, address)), "{text}");
        }
    }

    #[test]
    fn loopback_and_link_local_need_exact_names_and_the_environments_own_are_nobodys() {
        let ask = |text: &str| {
            let address: SocketAddr = text.parse().unwrap();
            (is_near(address.ip()), is_never(address))
        };
        assert_eq!(ask("127.0.0.1:5432"), (true, false));
        assert_eq!(ask("[::1]:5432"), (true, false));
        assert_eq!(ask("169.254.7.7:80"), (true, false));
        assert_eq!(ask("10.0.0.1:2772"), (false, false));
        for own in [
            "127.0.0.1:2772",
            "127.0.0.1:2773",
            "169.254.170.2:80",
            "169.254.169.254:80",
            "169.254.79.129:2000",
            "169.254.100.1:9001",
        ] {
            assert_eq!(ask(own), (true, true), "{own}");
        }
    }
}
