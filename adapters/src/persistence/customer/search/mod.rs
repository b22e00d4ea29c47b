//! Listing and searching: a query of the domain as SQL, written once for both databases.
//!
//! The conditions are our own SQL, because three things must be exact: the status is literal, so a prepared statement
//! can use partial indexes; pages are found by comparing rows, so an index finds a page deep in a list; and any number
//! of texts is one parameter if the database supports it (see `dialect`).

mod custom;
mod dialect;
mod order;
mod statement;
mod terms;
mod text;

pub(crate) use statement::{InOrder, Matches};

use diesel::prelude::*;
use patron_domain::{customer::query::CustomerQuery, lifecycle::Status};

use self::{
    order::{Keyset, SortKey},
    terms::Term,
};
use crate::persistence::{schema::customers, value::Key};

/// A query in one scope, with its values in the form that the database takes.
#[derive(Clone)]
pub(crate) struct Search {
    pub(crate) environment: i32,
    pub(crate) status: Status,
    terms: Vec<Term>,
    order: Vec<SortKey>,
    after: Option<Keyset>,
    /// The number of rows to read: one more than a page holds, to see whether there is a next page.
    pub(crate) limit: i64,
    pub(crate) offset: i64,
    pub(crate) with_total: bool,
}

impl Search {
    pub(crate) fn new(environment: i32, query: &CustomerQuery) -> Self {
        let page = query.page();
        Self {
            environment,
            status: query.status(),
            terms: query.conditions().iter().map(Term::new).collect(),
            order: order::sort_keys(query.order()),
            after: query.after().map(Keyset::new),
            limit: i64::from(page.limit()) + 1,
            // It fits by `PageRequest`'s invariant.
            offset: i64::try_from(page.offset()).unwrap_or(i64::MAX),
            with_total: query.with_total(),
        }
    }

    /// Limits the search to these customers, among which it looks for the rest.
    pub(crate) fn among(&mut self, ids: Vec<Key>) {
        self.terms.insert(0, Term::Id { ids, holds: true });
    }

    /// The total, if a page with this many rows shows it: the page is the first one and is not full.
    pub(crate) fn total_seen(&self, rows: usize) -> Option<i64> {
        let is_whole = self.after.is_none() && self.offset == 0;
        i64::try_from(rows).ok().filter(|rows| is_whole && *rows < self.limit)
    }

    /// The limit as a literal, for the usual page sizes of an unfiltered list. There are few such statements.
    fn usual_limit(&self) -> Option<&'static str> {
        match self.limit {
            _ if !self.terms.is_empty() || !self.is_common() => None,
            11 => Some("11"),
            21 => Some("21"),
            26 => Some("26"),
            51 => Some("51"),
            101 => Some("101"),
            _ => None,
        }
    }

    /// Whether its statement is one of few, so that keeping it prepared pays. Clients can produce any number of others.
    fn is_common(&self) -> bool {
        self.status == Status::Published && self.terms.len() <= 1 && self.order.len() == 2
    }
}

/// The documents of a page of customers in order, and of one more if there is a next page.
pub(crate) type Rows<'a> = diesel::dsl::Select<
    diesel::dsl::Order<diesel::dsl::Filter<customers::table, Matches<'a>>, InOrder<'a>>,
    customers::document,
>;

/// See [`Rows`].
pub(crate) fn rows(search: &Search) -> Rows<'_> {
    customers::table.filter(Matches::page(search)).order(InOrder(search)).select(customers::document)
}

/// Counts all customers that a search finds.
pub(crate) fn count(
    search: &Search,
) -> diesel::dsl::Select<diesel::dsl::Filter<customers::table, Matches<'_>>, diesel::dsl::CountStar> {
    customers::table.filter(Matches::all(search)).select(diesel::dsl::count_star())
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use diesel::{debug_query, sqlite::Sqlite};
    use patron_domain::{
        customer::{
            CustomerFacts,
            query::{
                Condition, CustomerQuery, CustomerQueryParts, Direction, Folded, ListField, SortField, TextField,
                TimeField,
            },
        },
        ids::{CustomerKind, IdSequence},
        testkit::{a_customer, a_scope, a_time, an_id},
    };

    use super::{Search, count, rows};
    use crate::{
        persistence::sqlite::{
            connection::Role,
            deadline::Deadline,
            testing::{another, migrated, plan},
        },
        slices::Slices,
    };

    /// SQLite's query plans for a page and for a count.
    fn plans(parts: CustomerQueryParts) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        drop(migrated(folder.path()));
        let mut connection = another(folder.path(), Role::Reader);
        let _deadline = Deadline::on(&connection, Slices::new(1).into()).unwrap();
        let search = Search::new(1, &CustomerQuery::new(parts).unwrap());
        let statements = [
            debug_query::<Sqlite, _>(&rows(&search)).to_string(),
            debug_query::<Sqlite, _>(&count(&search)).to_string(),
        ];
        statements.map(|statement| plan(&mut connection, &statement))
    }

    fn place_in(sort: Vec<(SortField, Option<Direction>)>) -> CustomerQueryParts {
        let order = CustomerQuery::new(CustomerQueryParts { sort: sort.clone(), ..Default::default() }).unwrap();
        let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
        let event = command.decide(&a_scope(), &CustomerFacts::default()).unwrap().event;
        let place = order.order().place_of(&event.state.customer).to_string();
        CustomerQueryParts { sort, starting_after: Some(place), ..Default::default() }
    }

    #[test]
    fn pages_are_read_from_an_index_starting_at_their_place() {
        for (sort, index) in [
            (
                SortField::Time(TimeField::CreatedAt),
                "customers_created (environment=? AND status=? AND (created_at,id)<(?,?))",
            ),
            (SortField::Text(TextField::Name), "customers_name (environment=? AND (name_folded,id)>(?,?))"),
            (SortField::Text(TextField::Email), "customers_email (environment=? AND (email_folded,id)>(?,?))"),
            (SortField::Text(TextField::ExternalId), "customers_external_id (environment=? AND external_id>?)"),
        ] {
            let [deep, _] = plans(place_in(vec![(sort, None)]));
            assert!(deep.contains(index) && !deep.contains("TEMP B-TREE"), "{sort}: {deep}");
            let [first, _] = plans(CustomerQueryParts { sort: vec![(sort, None)], ..Default::default() });
            let name = index.split(' ').next().unwrap();
            assert!(first.contains(name) && !first.contains("TEMP B-TREE"), "{sort}: {first}");
        }
    }

    #[test]
    fn selective_filters_use_their_index() {
        let text = || Some("a@example.com".to_owned());
        let same_email = Condition::Same(TextField::Email, Folded::new("A@example.com"));
        let tags = ["a", "b"].map(str::to_owned).into_iter().collect();
        let any_of_tags = Condition::Has { field: ListField::Tags, texts: tags, all: false };
        for (parts, index) in [
            (
                CustomerQueryParts { email: text(), ..Default::default() },
                "customers_email (environment=? AND email_folded=?)",
            ),
            (
                CustomerQueryParts { external_id: text(), ..Default::default() },
                "customers_external_id (environment=? AND external_id=?)",
            ),
            (
                CustomerQueryParts { external_ids: Some(vec!["a".to_owned(), "b".to_owned()]), ..Default::default() },
                "customers_external_id (environment=? AND external_id=?)",
            ),
            (
                CustomerQueryParts {
                    customer_ids: Some([1, 2].map(|n| an_id::<CustomerKind>(n).to_string()).to_vec()),
                    ..Default::default()
                },
                "sqlite_autoindex_customers_1 (environment=? AND id=?)",
            ),
            (
                CustomerQueryParts { metadata: [("a".to_owned(), "b".to_owned())].into(), ..Default::default() },
                "sqlite_autoindex_customers_1 (environment=? AND id=?)",
            ),
            (
                CustomerQueryParts { filters: vec![any_of_tags], ..Default::default() },
                "sqlite_autoindex_customers_1 (environment=? AND id=?)",
            ),
            (
                CustomerQueryParts { filters: vec![same_email], ..Default::default() },
                "customers_email (environment=? AND email_folded=?)",
            ),
        ] {
            for plan in plans(parts) {
                assert!(plan.contains(index), "{index}: {plan}");
            }
        }
    }
}
