//! The values that made-up customers are built from.

/// Given names.
pub(super) const GIVEN_NAMES: [&str; 32] = [
    "Ada",
    "Alan",
    "Amina",
    "Anna",
    "Barbara",
    "Carlos",
    "Chen",
    "Clara",
    "David",
    "Edsger",
    "Emmy",
    "Fatima",
    "Grace",
    "Hans",
    "Hedy",
    "Ines",
    "Jan",
    "Katherine",
    "Kenji",
    "Lars",
    "Linus",
    "Maria",
    "Mei",
    "Noah",
    "Olga",
    "Omar",
    "Priya",
    "Rosa",
    "Samuel",
    "Sofia",
    "Tim",
    "Yuki",
];

/// Family names, as written and in ASCII for e-mail addresses.
pub(super) const FAMILY_NAMES: [(&str, &str); 40] = [
    ("Andersson", "andersson"),
    ("Bauer", "bauer"),
    ("Bianchi", "bianchi"),
    ("Brown", "brown"),
    ("Chaudhry", "chaudhry"),
    ("Cohen", "cohen"),
    ("Costa", "costa"),
    ("Dubois", "dubois"),
    ("Evans", "evans"),
    ("Fernández", "fernandez"),
    ("Garcia", "garcia"),
    ("Haddad", "haddad"),
    ("Hansen", "hansen"),
    ("Hopper", "hopper"),
    ("Ivanova", "ivanova"),
    ("Jansen", "jansen"),
    ("Johnson", "johnson"),
    ("Kaya", "kaya"),
    ("Kim", "kim"),
    ("Kowalski", "kowalski"),
    ("Lovelace", "lovelace"),
    ("Martin", "martin"),
    ("Müller", "mueller"),
    ("Nakamura", "nakamura"),
    ("Nguyen", "nguyen"),
    ("Nowak", "nowak"),
    ("O'Brien", "obrien"),
    ("Okafor", "okafor"),
    ("Patel", "patel"),
    ("Rossi", "rossi"),
    ("Santos", "santos"),
    ("Schäfer", "schaefer"),
    ("Silva", "silva"),
    ("Singh", "singh"),
    ("Smith", "smith"),
    ("Sørensen", "soerensen"),
    ("Tanaka", "tanaka"),
    ("Virtanen", "virtanen"),
    ("Wang", "wang"),
    ("Weiß", "weiss"),
];

/// Trades of companies.
pub(super) const TRADES: [&str; 16] = [
    "Analytics",
    "Bakery",
    "Books",
    "Cloud",
    "Energy",
    "Foods",
    "Games",
    "Health",
    "Homes",
    "Labs",
    "Logistics",
    "Media",
    "Music",
    "Robotics",
    "Tools",
    "Travel",
];

/// Legal forms.
pub(super) const FORMS: [&str; 8] = ["AG", "BV", "GmbH", "Inc", "LLC", "Ltd", "SA", "Srl"];

/// Streets.
pub(super) const STREETS: [&str; 12] = [
    "Church Street",
    "Garden Road",
    "Harbour Street",
    "High Street",
    "King Street",
    "Lake Road",
    "Market Square",
    "Mill Lane",
    "Park Avenue",
    "School Lane",
    "Station Road",
    "Victoria Street",
];

/// Plans. The more common ones are listed more often.
pub(super) const PLANS: [&str; 8] = ["free", "free", "free", "free", "silver", "silver", "gold", "enterprise"];

/// Sources of customers.
pub(super) const SOURCES: [&str; 4] = ["sales", "self-service", "partner", "import"];

/// A place to live.
pub(super) struct Place {
    /// Its country.
    pub(super) country: &'static str,
    /// Its name.
    pub(super) city: &'static str,
    /// The state, province or region around it.
    pub(super) state: &'static str,
    /// The start of its postal codes; two digits follow.
    pub(super) postal: &'static str,
    /// The start of its telephone numbers.
    pub(super) dial: &'static str,
    /// Its time zone.
    pub(super) time_zone: &'static str,
}

const fn place(
    country: &'static str,
    city: &'static str,
    state: &'static str,
    postal: &'static str,
    dial: &'static str,
    time_zone: &'static str,
) -> Place {
    Place { country, city, state, postal, dial, time_zone }
}

/// Places to live in.
pub(super) const PLACES: [Place; 24] = [
    place("AT", "Wien", "Wien", "10", "+43 1", "Europe/Vienna"),
    place("AU", "Sydney", "New South Wales", "20", "+61 2", "Australia/Sydney"),
    place("BR", "São Paulo", "São Paulo", "013", "+55 11", "America/Sao_Paulo"),
    place("CH", "Zürich", "Zürich", "80", "+41 44", "Europe/Zurich"),
    place("DE", "Berlin", "Berlin", "101", "+49 30", "Europe/Berlin"),
    place("DE", "Köln", "Nordrhein-Westfalen", "506", "+49 221", "Europe/Berlin"),
    place("DK", "København", "Hovedstaden", "21", "+45 33", "Europe/Copenhagen"),
    place("ES", "Madrid", "Comunidad de Madrid", "280", "+34 91", "Europe/Madrid"),
    place("FI", "Helsinki", "Uusimaa", "001", "+358 9", "Europe/Helsinki"),
    place("FR", "Paris", "Île-de-France", "750", "+33 1", "Europe/Paris"),
    place("GB", "London", "England", "SW1A ", "+44 20", "Europe/London"),
    place("IE", "Dublin", "Leinster", "D02 X2", "+353 1", "Europe/Dublin"),
    place("IN", "Bengaluru", "Karnataka", "5600", "+91 80", "Asia/Kolkata"),
    place("IT", "Milano", "Lombardia", "201", "+39 02", "Europe/Rome"),
    place("JP", "Tokyo", "Tokyo", "100-00", "+81 3", "Asia/Tokyo"),
    place("KE", "Nairobi", "Nairobi", "001", "+254 20", "Africa/Nairobi"),
    place("MX", "Ciudad de México", "Ciudad de México", "060", "+52 55", "America/Mexico_City"),
    place("NO", "Oslo", "Oslo", "01", "+47 22", "Europe/Oslo"),
    place("NL", "Amsterdam", "Noord-Holland", "10", "+31 20", "Europe/Amsterdam"),
    place("PL", "Warszawa", "Mazowieckie", "00-1", "+48 22", "Europe/Warsaw"),
    place("SE", "Stockholm", "Stockholms län", "111 ", "+46 8", "Europe/Stockholm"),
    place("SG", "Singapore", "Singapore", "0189", "+65 6", "Asia/Singapore"),
    place("US", "Chicago", "Illinois", "606", "+1 312", "America/Chicago"),
    place("US", "San Francisco", "California", "941", "+1 415", "America/Los_Angeles"),
];
