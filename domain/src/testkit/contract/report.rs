//! The result of a run of the suite.

use std::fmt;

/// The result of a run of the suite.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{lifecycle::Owner, testkit::{MemoryStore, contract}};
///
/// let report = futures::executor::block_on(contract::check_customers(Arc::new(MemoryStore::default()), Owner::numbered, 0));
/// println!("{report}");
/// assert!(report.is_clean());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The obligations that the store met.
    pub passed: Vec<&'static str>,
    /// The obligations that it broke.
    pub broken: Vec<Broken>,
    /// The obligations that need ports which this store does not have; see [`check_customers`](super::check_customers).
    pub left_out: Vec<&'static str>,
}

/// A broken obligation.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{lifecycle::Owner, testkit::{MemoryStore, contract}};
///
/// let report = futures::executor::block_on(contract::check_customers(Arc::new(MemoryStore::default()), Owner::numbered, 0));
/// report.broken.iter().for_each(|broken| println!("{}: {}", broken.obligation, broken.what));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The obligation, as in `customers.create: of concurrent creates of one external id exactly one succeeds`.
    pub obligation: &'static str,
    /// The observed behaviour.
    pub what: String,
}

impl Report {
    /// Whether every obligation was met.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// For tests: passes if every obligation was met.
    ///
    /// # Panics
    /// With a list of the broken obligations, if there are any.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
    }

    /// For tests: passes if the store meets all obligations and none was left out.
    ///
    /// # Panics
    /// With the list of broken and left-out obligations, if there are any.
    #[track_caller]
    pub fn assert_complete(&self) {
        let left_out: String = self.left_out.iter().map(|obligation| format!("\n- left out: {obligation}")).collect();
        assert!(self.is_clean() && left_out.is_empty(), "{self}{left_out}");
    }

    /// Keeps only the obligations of these ports.
    pub(super) fn retain(&mut self, ports: &[&str]) {
        let of_ports = |obligation: &str| ports.iter().any(|port| obligation.starts_with(port));
        self.passed.retain(|obligation| of_ports(obligation));
        self.broken.retain(|broken| of_ports(broken.obligation));
        self.left_out.retain(|obligation| of_ports(obligation));
    }

    pub(super) fn note(&mut self, obligation: &'static str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed.push(obligation),
            Err(what) if what.contains(NOT_HERE) => self.left_out.push(obligation),
            Err(what) => self.broken.push(Broken { obligation, what }),
        }
    }
}

/// The error of a port that is not part of the store under test.
pub(super) const NOT_HERE: &str = "this port is not part of the store under test";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} obligations met, {} broken", self.passed.len(), self.broken.len())?;
        if !self.left_out.is_empty() {
            write!(f, ", {} left out", self.left_out.len())?;
        }
        self.broken.iter().try_for_each(|Broken { obligation, what }| write!(f, "\n- {obligation}\n  {what}"))
    }
}
