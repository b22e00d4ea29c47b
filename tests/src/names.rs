//! A local name server: every name resolves to the local machine, except those that begin with `slow`, which get no
//! answer.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// A name server on a thread of its own, until the process ends.
#[derive(Debug, Clone, Copy)]
pub struct NameServer(SocketAddr);

impl NameServer {
    /// Starts one.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("an address");
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut question) {
                if let Some(answer) = answer(&question[..length]) {
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        Self(address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

/// The answer to a question about one name (RFC 1035, section 4): one address for IPv4, none for IPv6.
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let name = question.get(12..)?.iter().position(|byte| *byte == 0)? + 1;
    let end = 12 + name + 4;
    if question.len() < end || question[13..].starts_with(b"slow") {
        return None;
    }
    let is_v4 = question[end - 3] == 1;
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_v4), 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    if is_v4 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    Some(answer)
}
