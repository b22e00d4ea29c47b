//! The demo of `docs/onboarding.md`, run as a reader would.
