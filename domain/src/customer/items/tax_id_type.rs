//! The types of tax ids, and how each is checked.

use std::fmt;

use crate::violation::Rule;

/// How the number of a type is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Only by length and alphabet: no scheme for an offline check is known.
    Form,
    /// As a VAT number of the EU, by its country.
    EuVat,
    /// By the scheme of this name in the library `stdnum`.
    Stdnum(&'static str),
}

/// The properties of a type.
struct Row {
    name: &'static str,
    country: Option<&'static str>,
    scheme: Scheme,
}

const fn row(name: &'static str, country: Option<&'static str>, scheme: Scheme) -> Row {
    Row { name, country, scheme }
}

/// A type of tax id, by the name that Stripe gives it: `eu_vat`, `gb_vat`, `in_gst` … or `unknown`.
///
/// ```
/// use patron_domain::customer::TaxIdType;
///
/// assert_eq!(TaxIdType::new("eu_vat").unwrap().as_str(), "eu_vat");
/// assert!(TaxIdType::new("vat").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxIdType(u8);

/// Why a text is not a [`TaxIdType`].
///
/// ```
/// use patron_domain::{customer::{TaxIdType, TaxIdTypeError}, violation::Rule};
///
/// assert_eq!(TaxIdType::new("vat"), Err(TaxIdTypeError));
/// assert_eq!(TaxIdTypeError.rule(), "tax_id_type");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("type must be a type of tax id as Stripe names it, such as eu_vat, gb_vat or us_ein, or unknown")]
pub struct TaxIdTypeError;

impl Rule for TaxIdTypeError {
    fn rule(&self) -> &'static str {
        "tax_id_type"
    }
}

impl TaxIdType {
    /// The type with a name.
    ///
    /// # Errors
    /// If no type has this name.
    pub fn new(name: impl AsRef<str>) -> Result<Self, TaxIdTypeError> {
        let place = ROWS.iter().position(|row| row.name == name.as_ref());
        place.and_then(|place| u8::try_from(place).ok()).map(Self).ok_or(TaxIdTypeError)
    }

    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..=u8::MAX).map(Self).take(ROWS.len())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The country that issues it; `None` if it depends on the number, or is unknown.
    #[must_use]
    pub fn country(self) -> Option<&'static str> {
        self.row().country
    }

    /// Whether a check digit or more than the form of the number is checked.
    #[must_use]
    pub fn is_checked(self) -> bool {
        self.scheme() != Scheme::Form
    }

    pub(super) fn scheme(self) -> Scheme {
        self.row().scheme
    }

    fn row(self) -> &'static Row {
        // Within the table by the invariant of this type; the last row is the type of which nothing is known.
        ROWS.get(usize::from(self.0)).unwrap_or(&ROWS[ROWS.len() - 1])
    }
}

impl fmt::Debug for TaxIdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

crate::text::serde_as_text!(TaxIdType);

/// Every type, in the order of their names, `unknown` last.
#[rustfmt::skip]
const ROWS: [Row; 111] = [
    row("ad_nrt", Some("AD"), Scheme::Form),
    row("ae_trn", Some("AE"), Scheme::Form),
    row("al_tin", Some("AL"), Scheme::Form),
    row("am_tin", Some("AM"), Scheme::Form),
    row("ao_tin", Some("AO"), Scheme::Form),
    row("ar_cuit", Some("AR"), Scheme::Stdnum("ar/cuit")),
    row("au_abn", Some("AU"), Scheme::Stdnum("au/abn")),
    row("au_arn", Some("AU"), Scheme::Form),
    row("aw_tin", Some("AW"), Scheme::Form),
    row("az_tin", Some("AZ"), Scheme::Form),
    row("ba_tin", Some("BA"), Scheme::Form),
    row("bb_tin", Some("BB"), Scheme::Form),
    row("bd_bin", Some("BD"), Scheme::Form),
    row("bf_ifu", Some("BF"), Scheme::Form),
    row("bg_uic", Some("BG"), Scheme::Form),
    row("bh_vat", Some("BH"), Scheme::Form),
    row("bj_ifu", Some("BJ"), Scheme::Form),
    row("bo_tin", Some("BO"), Scheme::Form),
    row("br_cnpj", Some("BR"), Scheme::Stdnum("br/cnpj")),
    row("br_cpf", Some("BR"), Scheme::Stdnum("br/cpf")),
    row("bs_tin", Some("BS"), Scheme::Form),
    row("by_tin", Some("BY"), Scheme::Stdnum("by/unp")),
    row("ca_bn", Some("CA"), Scheme::Stdnum("ca/bn")),
    row("ca_gst_hst", Some("CA"), Scheme::Stdnum("ca/bn")),
    row("ca_pst_bc", Some("CA"), Scheme::Form),
    row("ca_pst_mb", Some("CA"), Scheme::Form),
    row("ca_pst_sk", Some("CA"), Scheme::Form),
    row("ca_qst", Some("CA"), Scheme::Form),
    row("cd_nif", Some("CD"), Scheme::Form),
    row("ch_uid", Some("CH"), Scheme::Stdnum("ch/uid")),
    row("ch_vat", Some("CH"), Scheme::Stdnum("ch/vat")),
    row("cl_tin", Some("CL"), Scheme::Stdnum("cl/rut")),
    row("cm_niu", Some("CM"), Scheme::Form),
    row("cn_tin", Some("CN"), Scheme::Form),
    row("co_nit", Some("CO"), Scheme::Stdnum("co/nit")),
    row("cr_tin", Some("CR"), Scheme::Form),
    row("cv_nif", Some("CV"), Scheme::Form),
    row("de_stn", Some("DE"), Scheme::Form),
    row("do_rcn", Some("DO"), Scheme::Form),
    row("ec_ruc", Some("EC"), Scheme::Stdnum("ec/ruc")),
    row("eg_tin", Some("EG"), Scheme::Stdnum("eg/tn")),
    row("es_cif", Some("ES"), Scheme::Stdnum("es/cif")),
    row("et_tin", Some("ET"), Scheme::Form),
    row("eu_oss_vat", None, Scheme::Form),
    row("eu_vat", None, Scheme::EuVat),
    row("gb_vat", Some("GB"), Scheme::Stdnum("gb/vat")),
    row("ge_vat", Some("GE"), Scheme::Form),
    row("gn_nif", Some("GN"), Scheme::Form),
    row("hk_br", Some("HK"), Scheme::Form),
    row("hr_oib", Some("HR"), Scheme::Stdnum("hr/oib")),
    row("hu_tin", Some("HU"), Scheme::Form),
    row("id_npwp", Some("ID"), Scheme::Form),
    row("il_vat", Some("IL"), Scheme::Stdnum("il/idnr")),
    row("in_gst", Some("IN"), Scheme::Stdnum("in/gstin")),
    row("is_vat", Some("IS"), Scheme::Stdnum("is/vsk")),
    row("jp_cn", Some("JP"), Scheme::Stdnum("jp/cn")),
    row("jp_rn", Some("JP"), Scheme::Form),
    row("jp_trn", Some("JP"), Scheme::Form),
    row("ke_pin", Some("KE"), Scheme::Stdnum("ke/pin")),
    row("kg_tin", Some("KG"), Scheme::Form),
    row("kh_tin", Some("KH"), Scheme::Form),
    row("kr_brn", Some("KR"), Scheme::Form),
    row("kz_bin", Some("KZ"), Scheme::Form),
    row("la_tin", Some("LA"), Scheme::Form),
    row("li_uid", Some("LI"), Scheme::Form),
    row("li_vat", Some("LI"), Scheme::Form),
    row("ma_vat", Some("MA"), Scheme::Form),
    row("md_vat", Some("MD"), Scheme::Form),
    row("me_pib", Some("ME"), Scheme::Stdnum("me/pib")),
    row("mk_vat", Some("MK"), Scheme::Stdnum("mk/edb")),
    row("mr_nif", Some("MR"), Scheme::Form),
    row("mx_rfc", Some("MX"), Scheme::Form),
    row("my_frp", Some("MY"), Scheme::Form),
    row("my_itn", Some("MY"), Scheme::Form),
    row("my_sst", Some("MY"), Scheme::Form),
    row("ng_tin", Some("NG"), Scheme::Form),
    row("no_vat", Some("NO"), Scheme::Stdnum("no/mva")),
    row("no_voec", Some("NO"), Scheme::Form),
    row("np_pan", Some("NP"), Scheme::Form),
    row("nz_gst", Some("NZ"), Scheme::Stdnum("nz/ird")),
    row("om_vat", Some("OM"), Scheme::Form),
    row("pe_ruc", Some("PE"), Scheme::Stdnum("pe/ruc")),
    row("ph_tin", Some("PH"), Scheme::Form),
    row("ro_tin", Some("RO"), Scheme::Form),
    row("rs_pib", Some("RS"), Scheme::Stdnum("rs/pib")),
    row("ru_inn", Some("RU"), Scheme::Stdnum("ru/inn")),
    row("ru_kpp", Some("RU"), Scheme::Form),
    row("sa_vat", Some("SA"), Scheme::Form),
    row("sg_gst", Some("SG"), Scheme::Form),
    row("sg_uen", Some("SG"), Scheme::Stdnum("sg/uen")),
    row("si_tin", Some("SI"), Scheme::Stdnum("si/ddv")),
    row("sn_ninea", Some("SN"), Scheme::Form),
    row("sr_fin", Some("SR"), Scheme::Form),
    row("sv_nit", Some("SV"), Scheme::Form),
    row("th_vat", Some("TH"), Scheme::Stdnum("th/moa")),
    row("tj_tin", Some("TJ"), Scheme::Form),
    row("tr_tin", Some("TR"), Scheme::Stdnum("tr/vkn")),
    row("tw_vat", Some("TW"), Scheme::Stdnum("tw/ubn")),
    row("tz_vat", Some("TZ"), Scheme::Form),
    row("ua_vat", Some("UA"), Scheme::Form),
    row("ug_tin", Some("UG"), Scheme::Form),
    row("us_ein", Some("US"), Scheme::Stdnum("us/ein")),
    row("uy_ruc", Some("UY"), Scheme::Stdnum("uy/rut")),
    row("uz_tin", Some("UZ"), Scheme::Form),
    row("uz_vat", Some("UZ"), Scheme::Form),
    row("ve_rif", Some("VE"), Scheme::Stdnum("ve/rif")),
    row("vn_tin", Some("VN"), Scheme::Stdnum("vn/mst")),
    row("za_vat", Some("ZA"), Scheme::Form),
    row("zm_tin", Some("ZM"), Scheme::Form),
    row("zw_tin", Some("ZW"), Scheme::Form),
    row("unknown", None, Scheme::Form),
];

#[cfg(test)]
mod tests {
    use super::{ROWS, Scheme, TaxIdType};

    #[test]
    fn the_documentation_says_how_each_is_checked() {
        let page = include_str!("../../../../docs/tax-ids.md");
        for one in TaxIdType::all() {
            let checked = match one.scheme() {
                Scheme::Form => "length and alphabet".to_owned(),
                Scheme::EuVat => "form and check digit of each country".to_owned(),
                Scheme::Stdnum(name) => format!("form and check digit: `{name}`"),
            };
            let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", one.as_str())));
            assert!(row.is_some_and(|row| row.ends_with(&format!("| {checked} |"))), "{one:?}: {row:?}");
        }
    }

    #[test]
    fn every_type_is_found_by_its_name_and_every_scheme_is_there() {
        assert!(ROWS[..ROWS.len() - 1].is_sorted_by_key(|row| row.name));
        for one in TaxIdType::all() {
            assert_eq!(TaxIdType::new(one.as_str()), Ok(one));
            if let Scheme::Stdnum(name) = one.scheme() {
                assert!(stdnum::find(name).is_some(), "{name}");
            }
            if let Some(country) = one.country() {
                assert!(crate::customer::CountryCode::new(country).is_ok(), "{country}");
            }
        }
    }
}
