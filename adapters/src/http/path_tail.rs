//! The rest of a path as one value, because an external id may contain slashes, and not every client escapes them.

use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

/// The part of the path that matches `<_..>` in a route, percent-decoded as a whole: `a%2Fb` and `a/b` are both `a/b`.
pub(crate) struct PathTail {
    /// The value. `None` if it is not UTF-8, and so matches nothing.
    pub(crate) text: Option<String>,
    /// The whole path as it was sent.
    pub(crate) path: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for PathTail {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let route = request.route().map(|route| route.uri.to_string()).unwrap_or_default();
        let fixed = route.split('<').next().unwrap_or_default();
        let tail = request.uri().path().as_str().strip_prefix(fixed);
        let decoded = tail.and_then(|tail| rocket::http::RawStr::new(tail).percent_decode().ok());
        let text = decoded.map(std::borrow::Cow::into_owned);
        Outcome::Success(Self { text, path: request.uri().path().as_str().to_owned() })
    }
}
