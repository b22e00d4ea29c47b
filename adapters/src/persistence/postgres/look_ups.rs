//! Look-ups of customers by key: those that arrive together are asked together.
//!
//! Two workers, each with a connection of its own, one for each processor of a small server. A worker takes what is
//! waiting, up to [`MAX_BATCH`], and asks one query for each environment; meanwhile others gather. That spares the server
//! and the program most of what a query costs beside its rows. An idle system adds no delay: a look-up that comes alone is
//! asked alone. Whatever takes longer goes through the pool, so that it holds no look-up up.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use diesel::QueryResult;
use diesel_async::RunQueryDsl;
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use patron_domain::store::StoreError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    problem::{Problem, unavailable},
    session::Session,
    settings::Settings,
};
use crate::persistence::{
    customer::{queries, row::StoredCustomer},
    integration::row::StoredMapping,
    patience::within,
};

/// The most look-ups of one round.
const MAX_BATCH: usize = 64;
/// How many rounds are under way at once.
const WORKERS: usize = 2;
/// How many look-ups wait at most; whoever comes then waits to be let in.
const QUEUE: usize = 1_024;

/// A customer, once for each of its published mappings.
pub(super) type Rows = Vec<(StoredCustomer, Option<StoredMapping>)>;

/// What a customer is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// The id; in any status.
    Id,
    /// The external id; published.
    ExternalId,
}

/// Tenant, environment, and what is asked there: what one query is about.
type Group = (String, String, By);

type Answer = oneshot::Sender<Result<Rows, Problem>>;

struct LookUp {
    group: Group,
    key: String,
    answer: Answer,
}

/// Who waits for each key: one that is asked for twice is looked up once.
type Waiting = HashMap<String, Vec<Answer>>;

type Queue = Arc<Mutex<mpsc::Receiver<LookUp>>>;

/// The queue of look-ups, and the workers behind it.
pub(super) struct LookUps {
    // Taken away to close the queue.
    queue: std::sync::Mutex<Option<mpsc::Sender<LookUp>>>,
}

impl LookUps {
    /// Starts the workers. They connect when they are first needed.
    pub(super) fn start(settings: &Settings) -> Self {
        let (sender, look_ups) = mpsc::channel(QUEUE);
        let queue: Queue = Arc::new(Mutex::new(look_ups));
        for _ in 0..WORKERS {
            tokio::spawn(work(settings.clone(), queue.clone()));
        }
        Self { queue: std::sync::Mutex::new(Some(sender)) }
    }

    /// The rows of a customer.
    pub(super) async fn find(&self, scope: &(String, String), by: By, key: &str) -> Result<Rows, Problem> {
        let closed = || Problem::lost("the connection was closed");
        let queue = self.queue.lock().ok().and_then(|queue| queue.clone()).ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        let look_up = LookUp { group: (scope.0.clone(), scope.1.clone(), by), key: key.to_owned(), answer };
        let look = async {
            queue.send(look_up).await.map_err(|_| closed())?;
            answered.await.unwrap_or_else(|_| Err(closed()))
        };
        within("postgres", look).await
    }

    /// Takes no more; the workers end with what was taken.
    pub(super) fn close(&self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
    }
}

/// Takes look-ups until the queue is closed and empty.
async fn work(settings: Settings, queue: Queue) {
    let mut kept: Option<Session> = None;
    loop {
        let mut batch = Vec::new();
        if queue.lock().await.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        let session = match kept.take().filter(Session::is_idle) {
            Some(session) => Ok(session),
            None => Session::connect(&settings).await,
        };
        match session {
            Ok(session) => {
                answer(&session, batch).await;
                kept = Some(session);
            }
            Err(reason) => {
                let problem = unavailable(&format!("cannot connect: {reason}")).into();
                batch.into_iter().for_each(|look_up| fail(look_up.answer, &problem));
            }
        }
    }
}

async fn answer(session: &Session, batch: Vec<LookUp>) {
    let mut groups: BTreeMap<Group, Waiting> = BTreeMap::new();
    for LookUp { group, key, answer } in batch {
        groups.entry(group).or_default().entry(key).or_default().push(answer);
    }
    let asked = groups.iter().map(|(group, waiting)| ask(session, group, waiting));
    let found = session.answer(try_join_all(asked)).await;
    match found {
        Ok(found) => {
            for (mut rows, (_, waiting)) in found.into_iter().zip(groups) {
                for (key, answers) in waiting {
                    tell(answers, rows.remove(&key).unwrap_or_default());
                }
            }
        }
        Err(problem) => {
            let answers = groups.into_values().flat_map(HashMap::into_values).flatten();
            answers.for_each(|answer| fail(answer, &problem));
        }
    }
}

/// Tells all who asked. They may have gone away.
fn tell(mut answers: Vec<Answer>, rows: Rows) {
    let last = answers.pop();
    for answer in answers {
        let _ = answer.send(Ok(rows.clone()));
    }
    let _ = last.map(|answer| answer.send(Ok(rows)));
}

/// The rows of one query by their keys.
fn ask<'a>(
    session: &'a Session,
    group: &'a Group,
    waiting: &'a Waiting,
) -> BoxFuture<'a, QueryResult<HashMap<String, Rows>>> {
    async move {
        let ((tenant, environment, by), mut pg) = (group, session.pg());
        let keys: Vec<&str> = waiting.keys().map(String::as_str).collect();
        let rows: Rows = match by {
            By::Id => queries::by_ids(tenant, environment, keys).load(&mut pg).await?,
            By::ExternalId => queries::by_external_ids(tenant, environment, keys).load(&mut pg).await?,
        };
        let mut found: HashMap<String, Rows> = HashMap::with_capacity(waiting.len());
        for row in rows {
            let key = if *by == By::Id { &row.0.id } else { &row.0.external_id };
            found.entry(key.clone()).or_default().push(row);
        }
        Ok(found)
    }
    .boxed()
}

fn fail(answer: Answer, problem: &Problem) {
    let _ = answer.send(Err(problem.clone()));
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self { kind: super::problem::Kind::Other, error }
    }
}
