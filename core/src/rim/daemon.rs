//! The X-Ray daemon: what it is sent is out at once, or never.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};

use super::environment;
use crate::variables::{TRACE_ID, XRAY_DAEMON};

#[cfg(target_vendor = "apple")]
const FLAGS: SocketFlags = SocketFlags::empty();
#[cfg(not(target_vendor = "apple"))]
const FLAGS: SocketFlags = SocketFlags::CLOEXEC;

/// So many datagrams so far.
static SENT: AtomicU64 = AtomicU64::new(0);

/// The trace header of the invocation under way, where somebody told it.
static TOLD: Mutex<Option<String>> = Mutex::new(None);

/// Takes the trace header of the invocation under way. Of several at once nobody knows whose it is: their clients tell none.
pub fn tell(header: Option<String>) {
    *TOLD.lock().unwrap_or_else(PoisonError::into_inner) = header;
}

/// Sends what is made of the trace header and of a number of its own, where there is a daemon. Nothing is waited for, and what
/// does not arrive is lost. The socket is made for it alone: one that is kept would be somebody else's where a program closes
/// what it does not know, and shared after a fork.
pub fn send(datagram: impl FnOnce(&str, u64) -> Option<String>) {
    let Some(daemon) = environment::variable(XRAY_DAEMON).as_deref().and_then(address) else { return };
    let told = || TOLD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(header) = environment::variable(TRACE_ID).or_else(told) else { return };
    let Some(datagram) = datagram(&header, SENT.fetch_add(1, Ordering::Relaxed)) else { return };
    if let Ok(socket) = socket_with(AddressFamily::INET, SocketType::DGRAM, FLAGS, None) {
        let _ = sendto(socket, datagram.as_bytes(), SendFlags::DONTWAIT, &daemon);
    }
}

/// As in `127.0.0.1:2000`. A name is none: resolving it would have to be waited for.
fn address(value: &str) -> Option<SocketAddrV4> {
    let (host, port) = value.split_once(':')?;
    let whole = |text: &str| text.parse::<u32>().ok();
    let mut numbers = host.split('.').map(|number| u8::try_from(whole(number)?).ok());
    let mut number = || numbers.next()?;
    let host = Ipv4Addr::new(number()?, number()?, number()?, number()?);
    Some(SocketAddrV4::new(host, u16::try_from(whole(port)?).ok()?)).filter(|_| numbers.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_daemon_stands_where_lambda_says() {
        let daemon = "169.254.79.129:2000".parse().ok();
        assert!(daemon.is_some());
        assert_eq!(address("169.254.79.129:2000"), daemon);
        for none in ["", "localhost:2000", "127.0.0.1", "tcp:127.0.0.1:2000", "1.2.3.4.5:6", "1.2.3.256:6", "1.2.3.4:65536"] {
            assert_eq!(address(none), None, "{none}");
        }
    }
}
