//! The exemptions of a customer.

use super::{ExemptedBy, PassedOver, TaxBasis, TaxQuestion};
use crate::{
    customer::{Item, State, TaxExemption, query::Folded},
    tax::TaxRate,
};

impl TaxBasis {
    /// The exemption from a rate that holds, otherwise the one that ended last.
    pub(super) fn exemption(&self, rate: &TaxRate, question: &TaxQuestion) -> Option<(PassedOver, ExemptedBy)> {
        let customer = self.customer.as_ref()?;
        let address = &customer.profile.address;
        let country = question.country.as_ref().or(address.country.as_ref());
        let is_at_home = country == address.country.as_ref();
        let state = question.state.as_ref().or(address.state.as_ref().filter(|_| is_at_home));
        let concerns = |item: &&Item<TaxExemption>| {
            let exemption = &item.value;
            let of_rate =
                exemption.tax_rate_codes.is_empty() || exemption.tax_rate_codes.iter().any(|c| *c == rate.code);
            let of_country = exemption.country.as_ref().is_none_or(|own| country == Some(own));
            let same_state = |own: &State| state.is_some_and(|state| folded(state) == folded(own));
            let has_begun = exemption.starts_at.is_none_or(|start| start <= question.at);
            of_rate && of_country && exemption.state.as_ref().is_none_or(same_state) && has_begun
        };
        let begun: Vec<_> = customer.tax_exemptions.iter().filter(concerns).collect();
        let holds = begun.iter().find(|item| item.value.ends_at.is_none_or(|end| question.at < end));
        let (reason, item) = match holds {
            Some(item) => (PassedOver::Exemption, item),
            None => (PassedOver::ExemptionExpired, begun.iter().max_by_key(|item| (item.value.ends_at, item.id))?),
        };
        Some((reason, ExemptedBy { id: item.id, certificate_number: item.value.certificate_number.clone() }))
    }
}

fn folded(state: &State) -> Folded {
    Folded::new(state.as_str())
}
