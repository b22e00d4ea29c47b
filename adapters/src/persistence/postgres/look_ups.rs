//! Look-ups of customers by key share queries.
//!
//! Two workers have a connection each, which suits a small server with two processors. A worker takes all waiting
//! look-ups, up to [`MAX_BATCH`], and sends one query for each environment; meanwhile others gather. That saves the
//! server and the program most of a query's cost beside its rows. An idle system adds no delay: a single look-up is
//! sent alone. Longer reads use the pool, so they delay no look-up.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use diesel::QueryResult;
use futures_util::future::try_join_all;
use patron_domain::store::StoreError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    connect,
    problem::{Problem, unavailable},
    session::Session,
    settings::Settings,
};
use crate::persistence::{
    customer::statements::CustomerStatements,
    engine::CustomerKey,
    timeout::within,
    value::{Document, Key},
};

/// The most look-ups of one round.
const MAX_BATCH: usize = 64;
/// The number of concurrent rounds.
const WORKERS: usize = 2;
/// The most look-ups in the queue. Further callers wait for a place in it.
const QUEUE: usize = 1_024;

type Answer = oneshot::Sender<Result<Option<Document>, Problem>>;

struct LookUp {
    environment: i32,
    key: CustomerKey,
    answer: Answer,
}

/// The callers that wait for each key. A key that is requested twice is looked up once.
type Waiting = HashMap<CustomerKey, Vec<Answer>>;

type Queue = Arc<Mutex<mpsc::Receiver<LookUp>>>;

/// The queue of look-ups, and the workers behind it.
pub(super) struct LookUps {
    // `None` once the queue is closed.
    queue: std::sync::Mutex<Option<mpsc::Sender<LookUp>>>,
    wait: Duration,
}

impl LookUps {
    /// Starts the workers. They connect at the first look-up.
    pub(super) fn start(settings: &Settings) -> Self {
        let (sender, look_ups) = mpsc::channel(QUEUE);
        let queue: Queue = Arc::new(Mutex::new(look_ups));
        for _ in 0..WORKERS {
            tokio::spawn(work(settings.clone(), queue.clone()));
        }
        Self { queue: std::sync::Mutex::new(Some(sender)), wait: settings.timeouts.call }
    }

    /// The document of a customer.
    pub(super) async fn find(&self, environment: i32, key: CustomerKey) -> Result<Option<Document>, Problem> {
        let closed = || Problem::lost("the connection was closed");
        let queue = self.queue.lock().ok().and_then(|queue| queue.clone()).ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        let look_up = LookUp { environment, key, answer };
        let look = async {
            queue.send(look_up).await.map_err(|_| closed())?;
            answered.await.unwrap_or_else(|_| Err(closed()))
        };
        within("postgres", self.wait, look).await
    }

    /// Accepts no more look-ups. The workers finish those in the queue.
    pub(super) fn close(&self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
    }
}

/// Runs rounds until the queue is closed and empty.
async fn work(settings: Settings, queue: Queue) {
    let mut kept: Option<Session> = None;
    loop {
        let mut batch = Vec::new();
        if queue.lock().await.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        let session = match kept.take().filter(Session::is_idle) {
            Some(session) => Ok(session),
            None => connect::with_retries(&settings).await,
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
    let mut groups: BTreeMap<i32, Waiting> = BTreeMap::new();
    for LookUp { environment, key, answer } in batch {
        groups.entry(environment).or_default().entry(key).or_default().push(answer);
    }
    let asked = groups.iter().map(|(environment, waiting)| ask(session, *environment, waiting));
    let found = session.answer(try_join_all(asked)).await;
    match found {
        Ok(found) => {
            for (mut documents, (_, waiting)) in found.into_iter().zip(groups) {
                for (key, answers) in waiting {
                    tell(answers, documents.remove(&key));
                }
            }
        }
        Err(problem) => {
            let answers = groups.into_values().flat_map(HashMap::into_values).flatten();
            answers.for_each(|answer| fail(answer, &problem));
        }
    }
}

/// Sends the document to all callers. Some may have stopped waiting.
fn tell(mut answers: Vec<Answer>, document: Option<Document>) {
    let last = answers.pop();
    for answer in answers {
        let _ = answer.send(Ok(document.clone()));
    }
    let _ = last.map(|answer| answer.send(Ok(document)));
}

/// Reads the requested documents of one environment.
async fn ask(session: &Session, environment: i32, waiting: &Waiting) -> QueryResult<HashMap<CustomerKey, Document>> {
    let (mut ids, mut external_ids): (Vec<Key>, Vec<String>) = (Vec::new(), Vec::new());
    for key in waiting.keys() {
        match key {
            CustomerKey::Id(id) => ids.push(*id),
            CustomerKey::ExternalId(external_id) => external_ids.push(external_id.clone()),
        }
    }
    let unit = session.unit();
    let by_id = unit.documents_of(environment, &ids);
    let by_external_id = unit.documents_of_external_ids(environment, &external_ids);
    let (by_id, by_external_id) = futures_util::future::try_join(by_id, by_external_id).await?;
    let by_id = by_id.into_iter().map(|(id, document)| (CustomerKey::Id(id), document));
    let by_external_id = by_external_id.into_iter().map(|(id, document)| (CustomerKey::ExternalId(id), document));
    Ok(by_id.chain(by_external_id).collect())
}

fn fail(answer: Answer, problem: &Problem) {
    let _ = answer.send(Err(problem.clone()));
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self { kind: super::problem::Kind::Other, error }
    }
}
