//! All time-outs of a database, derived from one setting: how long a caller waits.

use std::time::Duration;

/// The time-outs of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timeouts {
    /// For an answer, for a transaction without its commit, and for the commit.
    pub(super) call: Duration,
    /// For one statement of a transaction. It is shorter, so that the server ends it and the connection stays usable.
    pub(super) statement: Duration,
    /// For a free connection, and for a new one over all hosts.
    pub(super) connect: Duration,
    /// For the whole handshake with one host.
    pub(super) handshake: Duration,
    /// For the check whether the database is usable, which is repeated often.
    pub(super) ping: Duration,
}

impl Timeouts {
    /// Derives all time-outs from how long a caller waits.
    pub(super) fn of(call: Duration) -> Self {
        Self { call, statement: call * 4 / 5, connect: call / 2, handshake: call * 2 / 5, ping: call / 5 }
    }

    /// The statements that begin a transaction. The limits end with it, so they cannot stay on a connection of a
    /// pooler. The second one releases the locks of a Patron server that has vanished from the network.
    pub(super) fn begin(&self, kind: &str) -> String {
        let (statement, idle) = (self.statement.as_millis(), self.call.as_millis());
        format!(
            "BEGIN {kind}; SET LOCAL statement_timeout = {statement}; \
             SET LOCAL idle_in_transaction_session_timeout = {idle}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timeouts;

    #[test]
    fn no_single_wait_takes_the_whole_time_of_a_request() {
        let timeouts = Timeouts::of(Duration::from_secs(10));
        assert_eq!(timeouts.begin("X").split("; ").nth(1), Some("SET LOCAL statement_timeout = 8000"));
        assert_eq!((timeouts.connect, timeouts.handshake), (Duration::from_secs(5), Duration::from_secs(4)));
        for wait in [timeouts.statement, timeouts.connect, timeouts.handshake, timeouts.ping] {
            assert!(!wait.is_zero() && wait < timeouts.call);
        }
    }
}
