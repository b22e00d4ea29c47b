//! Ready-made mocks of the tax port.

use super::{CreateTaxDefaultError, CreateTaxRateError, MockTaxRepository, TaxBasis, TaxRate, TaxRateFacts};
use crate::{idempotency::Done, lifecycle::Status, page::Page, store::StoreError};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockTaxRepository {
    /// A store without rates or associations. Creates succeed but are not kept; there is nothing to change.
    ///
    /// ```
    /// # use patron_domain::{tax::*, testkit::{a_scope, an_id}};
    /// let taxes = MockTaxRepository::empty();
    /// assert_eq!(futures::executor::block_on(taxes.find_rate(&a_scope(), an_id(1))), Ok(None));
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one rate that never changes and that only its owner sees. Changes are decided on it and returned,
    /// but not kept. The rate is not in use: there are no associations.
    ///
    /// ```
    /// # use patron_domain::{page::PageRequest, tax::*, testkit::{a_scope, a_tax_rate}};
    /// # futures::executor::block_on(async {
    /// let taxes = MockTaxRepository::with(a_tax_rate("VAT"));
    /// let listed = taxes.rates(&a_scope(), &TaxRateFilter::default(), PageRequest::default()).await;
    /// assert_eq!(listed.unwrap().total, 1);
    /// # });
    /// ```
    #[must_use]
    pub fn with(rate: TaxRate) -> Self {
        Self::holding(Some(rate))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut taxes = Self::new();
        taxes.expect_create_rate().returning(|_, _, _| Err(unavailable().into()));
        taxes.expect_find_rate().returning(|_, _| Err(unavailable()));
        taxes.expect_rates().returning(|_, _, _| Err(unavailable()));
        taxes.expect_change_rate().returning(|_, _, _| Err(unavailable().into()));
        taxes.expect_begin_changes().returning(|_, _, _, _| Err(unavailable()));
        taxes.expect_create_default().returning(|_, _, _| Err(unavailable().into()));
        taxes.expect_change_default().returning(|_, _, _| Err(unavailable().into()));
        taxes.expect_find_association().returning(|_, _| Err(unavailable()));
        taxes.expect_associations().returning(|_, _, _| Err(unavailable()));
        taxes.expect_basis().returning(|_, _, _| Err(unavailable().into()));
        taxes
    }

    fn holding(rate: Option<TaxRate>) -> Self {
        let mut taxes = Self::new();
        let held = move |owner| rate.clone().filter(|rate| rate.owner == owner);
        let published = {
            let held = held.clone();
            move |owner| held(owner).filter(|rate| rate.status == Status::Published)
        };
        let holder = published.clone();
        taxes.expect_create_rate().returning(move |scope, new, _| match holder(scope.owner) {
            Some(holder) if holder.code == new.state.code => Err(CreateTaxRateError::CodeTaken { existing: holder.id }),
            _ => Ok(Done::now(new.state)),
        });
        let one = held.clone();
        taxes.expect_find_rate().returning(move |scope, id| Ok(one(scope.owner).filter(|rate| rate.id == id)));
        let one = held.clone();
        taxes.expect_rates().returning(move |scope, filter, page| {
            Ok(Page::cut(one(scope.owner).filter(|rate| filter.admits(rate)).into_iter().collect(), page))
        });
        taxes.expect_begin_changes().returning(|_, _, _, _| Ok(0));
        taxes.expect_change_rate().returning(move |scope, command, _| {
            let current = held(scope.owner).filter(|rate| rate.id == command.id);
            let event = command.decide(scope, &TaxRateFacts::new(current, false, None))?;
            Ok(Done::now(event.state))
        });
        taxes.expect_create_default().returning(move |scope, new, _| match published(scope.owner) {
            Some(rate) if rate.id == new.tax_rate_id => Ok(Done::now(new)),
            _ => Err(CreateTaxDefaultError::UnknownRate),
        });
        taxes.expect_change_default().returning(|scope, command, _| command.decide(scope, None, &[]).map(Done::now));
        taxes.expect_find_association().returning(|_, _| Ok(None));
        taxes.expect_associations().returning(|_, _, page| Ok(Page::cut(Vec::new(), page)));
        taxes.expect_basis().returning(|_, _, _| Ok(Some(TaxBasis { own: Some(Vec::new()), ..TaxBasis::default() })));
        taxes
    }
}
