//! Tests of an erasure in memory.

use futures::executor::block_on;

use super::*;
use crate::{
    customer::CustomerRepository,
    event::chain::verify_log,
    ids::IdSequence,
    testkit::{a_customer, a_deletion_of, a_scope, a_time},
};

#[test]
fn an_erasure_is_completed_when_nothing_is_left() {
    block_on(async {
        let (store, scope, patron) = (MemoryStore::default(), a_scope(), SystemScope::patron());
        let create = a_customer("acme").command(IdSequence::start(a_time(), [1; 10]), a_time());
        let id = store.change(&scope, create).await.unwrap().event.state.customer.id;
        let due_at = store.request(&scope, a_deletion_of(id)).await.unwrap().request.due_at;
        let holder = || "server 1".to_owned();
        let claim = ErasureClaim {
            holder: holder(),
            now: due_at,
            until: due_at,
            limit: 1,
            most_of_one: 1,
            under_way: HashMap::new(),
        };
        let request = store.claim(&patron, claim).await.unwrap().remove(0);
        let step = |holder| RedactionStep {
            owner: scope.owner,
            requests: vec![request.id],
            holder,
            until: due_at,
            ids: IdSequence::start(due_at, [2; 10]),
            at: due_at,
            limit: 1,
        };
        assert_eq!(store.redact(&patron, step("server 2".to_owned())).await, Ok(Vec::new()), "another holder");
        while store.redact(&patron, step(holder())).await.unwrap()[0].more {}
        let ended = store.verify(&patron, step(holder())).await.unwrap().remove(0);
        assert_eq!(ended.state, DeletionState::Completed);
        assert!(ended.counts.iter().all(|count| count.left == Some(0)), "{:?}", ended.counts);
        // The chain of the events is still whole.
        let verified = verify_log(&store, scope.owner, None).await.unwrap();
        assert_eq!((verified.events, verified.erased), (3, 1));
    });
}
