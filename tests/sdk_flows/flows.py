"""The flows of the official Python SDK (PyPI `flexprice`) against a server: PATRON_URL and PATRON_KEY name it."""

import os
import uuid
from datetime import datetime, timedelta, timezone

from flexprice import Flexprice
from flexprice.models import errors

sdk = Flexprice(server_url=f"{os.environ['PATRON_URL']}/v1", api_key_auth=os.environ["PATRON_KEY"])
RUN = uuid.uuid4().hex[:8]
CRM, STRIPE = "crm", "stripe"


def step(text):
    print(f"python: {text}", flush=True)


def refused(status, call, **arguments):
    """Makes a call that has to be refused; gives the error as the SDK read it, and its JSON."""
    try:
        answer = call(**arguments)
    except errors.FlexpriceError as error:
        assert error.status_code == status, f"{error.status_code} for {status}: {error.body}"
        return error, error.raw_response.json()
    raise AssertionError(f"{call.__name__} answered {answer!r}, not {status}")


def parsed(error, code):
    """Errors that the SDK's model describes for the route come as a model, not as text."""
    assert isinstance(error, errors.ErrorResponse), type(error)
    assert (error.data.code, error.data.http_status_code) == (code, error.status_code)
    assert error.data.message


def a_rate(code, **more):
    fields = {"name": f"Rate {code}", "percentage_value": "19", "tax_rate_type": "percentage"} | more
    return sdk.tax_rates.create_tax_rate(code=code, **fields)


def customers():
    code, external_id = f"VAT-{RUN}", f"gid://app/Customer/{RUN}"
    rate = a_rate(code)
    made = sdk.customers.create_customer(
        external_id=external_id,
        name="Łódź GmbH",
        email=f"billing.{RUN}@example.com",
        contact="+48 123",
        address_line1="Piotrkowska 1",
        address_line2="2. piętro",
        address_city="Łódź",
        address_state="Łódzkie",
        address_postal_code="90-001",
        address_country="PL",
        timezone="Europe/Warsaw",
        metadata={"plan": f"gold-{RUN}"},
        skip_onboarding_workflow=True,
        billing_currency="EUR",
        tax_treatment="reverse_charge",
        contact_persons=[{"first_name": "Ada", "email": "ada@example.com", "is_primary": True}, {"first_name": "Bob"}],
        tax_rate_overrides=[{
            "tax_rate_code": code, "currency": "eur", "priority": 3, "metadata": {"why": "sdk"},
            "tax_behavior": "exclusive",
        }],
        integration_entity_mapping=[{
            "entity_type": "customer", "entity_id": "unknown yet", "provider_type": STRIPE,
            "provider_entity_id": f"cus_{RUN}", "metadata": {"live": True, "depth": {"n": 1}},
        }],
    )
    assert made.id.startswith("cust_") and made.status == "published" and made.timezone == "Europe/Warsaw"
    assert (made.name, made.address_city, made.contact) == ("Łódź GmbH", "Łódź", "+48 123")
    assert made.created_at == made.updated_at and made.created_at.tzinfo
    assert (made.billing_currency, made.tax_treatment) == ("eur", "reverse_charge")
    ada, bob = made.contact_persons
    assert (ada.first_name, ada.email, ada.is_primary) == ("Ada", "ada@example.com", True)
    assert (bob.first_name, bob.email, bob.is_primary) == ("Bob", "", False) and ada.id != bob.id
    (link,) = made.integrations
    assert (link.entity_id, link.provider_type, link.provider_entity_id) == (made.id, STRIPE, f"cus_{RUN}")
    assert link.metadata == {"live": True, "depth": {"n": 1}}
    (tax,) = sdk.tax_associations.list_tax_associations(entity_type="customer", entity_id=made.id).items
    assert (tax.tax_rate_id, tax.currency, tax.priority, tax.auto_apply) == (rate.id, "eur", 3, True)
    assert tax.tax_behavior == "exclusive"
    step("create a customer with a tax and a link")

    assert sdk.customers.get_customer(id=made.id) == made
    step("get a customer")
    assert sdk.customers.get_customer_by_external_id(external_id=external_id) == made
    step("get a customer by an external id with slashes")

    once = {"http_headers": {"Idempotency-Key": f"plain-{RUN}"}}
    plain = sdk.customers.create_customer(external_id=f"plain-{RUN}", name="", **once)
    assert sdk.customers.create_customer(external_id=f"plain-{RUN}", name="", **once) == plain
    assert plain.name == "" and plain.timezone == "UTC" and plain.contact is None and plain.metadata == {}
    assert sdk.customers.get_customer_by_external_id(external_id=f"plain-{RUN}") == plain
    step("create a customer of an external id alone, and get it by that")

    search(made, plain)
    update(made, plain)

    assert sdk.customers.delete_customer(id=plain.id) is None
    assert sdk.customers.get_customer(id=plain.id).status == "archived"
    refused(404, sdk.customers.get_customer_by_external_id, external_id=f"plain-{RUN}")
    refused(404, sdk.customers.delete_customer, id=plain.id)
    archived = sdk.customers.query_customer(status="archived", external_ids=[f"plain-{RUN}"])
    assert [one.id for one in archived.items] == [plain.id]
    step("delete a customer: found by its id alone, once")
    return made, rate


def search(made, plain):
    both = [made.external_id, plain.external_id]

    def found(**query):
        return [one.id for one in sdk.customers.query_customer(**query).items]

    listed = sdk.customers.query_customer()
    assert listed.pagination.total >= 2 and listed.pagination.limit == 50 and listed.pagination.offset == 0
    assert [one.id for one in listed.items][:2] == [plain.id, made.id]
    assert listed.items[0].integrations is None
    step("list customers")

    first = sdk.customers.query_customer(external_ids=both, limit=1, offset=1, order="asc", expand="integrations")
    assert [one.id for one in first.items] == [plain.id] and first.items[0].integrations == []
    assert (first.pagination.total, first.pagination.limit, first.pagination.offset) == (2, 1, 1)
    step("page through customers")

    early, late = made.created_at - timedelta(hours=1), made.created_at + timedelta(hours=1)
    assert found(external_ids=both, start_time=early, end_time=late) == [plain.id, made.id]
    assert found(external_ids=both, start_time=late) == []
    assert found(customer_ids=[made.id]) == [made.id] and found(external_ids=[]) == []
    assert found(email=made.email) == found(external_id=made.external_id) == [made.id]
    assert found(metadata=made.metadata) == [made.id]
    for field, operator, data_type, value, wanted in [
        ("name", "contains", "string", {"string": "łódź"}, [made.id]),
        ("name", "not_contains", "string", {"string": "łódź"}, [plain.id]),
        ("external_id", "eq", "string", {"string": plain.external_id}, [plain.id]),
        ("email", "in", "array", {"array": [made.email, "x@example.com"]}, [made.id]),
        ("email", "not_in", "array", {"array": [made.email]}, [plain.id]),
        ("created_at", "after", "date", {"date_": early.isoformat()}, [plain.id, made.id]),
        ("created_at", "gte", "date", {"date_": made.created_at.isoformat()}, [plain.id, made.id]),
        ("created_at", "before", "date", {"date_": early.isoformat()}, []),
        ("created_at", "gt", "date", {"date_": late.isoformat()}, []),
        ("created_at", "lt", "date", {"date_": late.isoformat()}, [plain.id, made.id]),
    ]:
        condition = {"field": field, "operator": operator, "data_type": data_type, "value": value}
        assert found(external_ids=both, filters=[condition]) == wanted, condition
    by_name = [{"field": "name", "direction": "asc"}]
    assert found(external_ids=both, sort=by_name) == [plain.id, made.id]
    step("search customers by every operator, by metadata and by time")

    wrong = [{"field": "colour", "operator": "eq", "value": {"string": "red"}}]
    error, body = refused(400, sdk.customers.query_customer, filters=wrong)
    parsed(error, "validation_error")
    assert "filters[0].field" in body["details"]
    step("search customers by a field that is not there: 400")


def update(made, plain):
    after = sdk.customers.update_customer(
        id=made.id, name="Łódź SE", address_line2="", metadata={"plan": "silver"}, contact="+48 9",
        integration_entity_mapping=[{
            "entity_type": "customer", "entity_id": made.id, "provider_type": CRM, "provider_entity_id": "7",
        }],
    )
    assert (after.name, after.address_line2, after.contact) == ("Łódź SE", "", "+48 9")
    assert after.metadata == {"plan": "silver"} and after.email == made.email
    assert after.updated_at > made.updated_at and after.created_at == made.created_at
    assert sorted(link.provider_type for link in after.integrations) == [CRM, STRIPE]
    assert sdk.customers.get_customer(id=made.id) == after
    named = sdk.customers.update_customer(external_customer_id=plain.external_id, name="Plain")
    assert (named.id, named.name) == (plain.id, "Plain")
    ada, bob = after.contact_persons
    bob.last_name, bob.is_primary, ada.is_primary = "Kowalski", True, False
    people = sdk.customers.update_customer(
        id=plain.id, contact_persons=[{"first_name": "Cleo"}], billing_currency="pln", tax_treatment="exempt"
    )
    assert (people.billing_currency, people.tax_treatment) == ("pln", "exempt")
    assert [one.first_name for one in people.contact_persons] == ["Cleo"]
    swapped = sdk.customers.update_customer(id=made.id, contact_persons=[bob, ada])
    assert [(one.id, one.is_primary) for one in swapped.contact_persons] == [(bob.id, True), (ada.id, False)]
    assert swapped.contact_persons[0].last_name == "Kowalski"
    cleared = sdk.customers.update_customer(id=plain.id, contact_persons=[], billing_currency="")
    assert cleared.contact_persons == [] and cleared.billing_currency is None and cleared.tax_treatment == "exempt"
    step("change contact persons, billing currency and tax treatment")
    stale = {"http_headers": {"If-Match": '"1"'}}
    _, body = refused(412, sdk.customers.update_customer, id=made.id, name="Late", **stale)
    assert body["details"]["If-Match"]["current_version"] == 3
    step("update a customer by its id and by its external id")


def links(customer):
    of = {"entity_type": "customer", "entity_id": customer.id}

    def listed():
        items = sdk.integrations.get_entity_integration_mappings(**of).items
        return {link.provider_type: link.provider_entity_id for link in items}

    linked = sdk.integrations.link_integration_mapping(
        **of, provider_type="hubspot", provider_entity_id="h1", metadata={"tags": ["a", "b"]}
    ).mapping
    assert linked.id.startswith("eim_") and linked.metadata == {"tags": ["a", "b"]} and linked.entity_id == customer.id
    again = sdk.integrations.link_integration_mapping(**of, provider_type="hubspot", provider_entity_id="h2").mapping
    assert (again.id, again.provider_entity_id) == (linked.id, "h2")
    assert listed() == {STRIPE: f"cus_{RUN}", CRM: "7", "hubspot": "h2"}
    step("link a customer to another system, change the link, list links")

    assert sdk.integrations.delink_integration_mapping(**of, provider_type="hubspot").message
    assert listed() == {STRIPE: f"cus_{RUN}", CRM: "7"}
    refused(404, sdk.integrations.delink_integration_mapping, **of, provider_type="hubspot")
    unknown = {"entity_type": "customer", "entity_id": "cust_unknown"}
    refused(404, sdk.integrations.link_integration_mapping, **unknown, provider_type=CRM, provider_entity_id="1")
    assert sdk.integrations.get_entity_integration_mappings(**unknown).items == []
    step("take a link away, once")


def rates():
    code = f"GST-{RUN}"
    made = a_rate(code, description="Goods", scope="EXTERNAL", metadata={"region": "IN"}, percentage_value="18.00")
    assert made.id.startswith("taxrate_") and made.percentage_value == "18" and made.tax_rate_status == "ACTIVE"
    assert (made.code, made.scope, made.tax_rate_type, made.status) == (code, "EXTERNAL", "percentage", "published")
    assert sdk.tax_rates.get_tax_rate(id=made.id) == made
    step("create and get a tax rate")

    other = a_rate(f"CESS-{RUN}")
    codes = sdk.tax_rates.get_tax_rates(taxrate_codes=[code, other.code], order="asc", limit=10)
    assert [rate.id for rate in codes.items] == [made.id, other.id] and codes.pagination.total == 2
    ids = sdk.tax_rates.get_tax_rates(taxrate_ids=[made.id, other.id], scope="EXTERNAL", status="published")
    assert [rate.id for rate in ids.items] == [made.id]
    step("list tax rates by codes and by ids")

    change = {"name": "GST", "description": "", "metadata": {}, "tax_rate_status": "INACTIVE"}
    after = sdk.tax_rates.update_tax_rate(id=made.id, **change)
    assert {field: getattr(after, field) for field in change} == change
    assert sdk.tax_rates.get_tax_rate(id=made.id) == after
    step("update a tax rate")

    refused(409, a_rate, code=code)
    error, body = refused(400, a_rate, code=f"BAD-{RUN}", percentage_value="101")
    parsed(error, "validation_error")
    assert "percentage_value" in body["details"]
    assert sdk.tax_rates.delete_tax_rate(id=made.id) is None
    assert sdk.tax_rates.get_tax_rate(id=made.id).status in ("archived", "deleted")
    refused(404, sdk.tax_rates.delete_tax_rate, id=made.id)
    step("delete a tax rate, once")


def associations(customer, used):
    other = a_rate(f"LOCAL-{RUN}")
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
    made = sdk.tax_associations.create_tax_association(
        tax_rate_code=other.code, external_customer_id=customer.external_id, currency="EUR", priority=7,
        auto_apply=False, end_date=end, metadata={"a": "b"},
    )
    assert made.id.startswith("ta_") and made.entity_id == customer.id and made.entity_type == "customer"
    assert (made.priority, made.auto_apply, made.end_date) == (7, False, end)
    got = sdk.tax_associations.get_tax_association(id=made.id)
    assert got.tax_rate.code == other.code and got.id == made.id
    step("create and get a tax association")

    listed = sdk.tax_associations.list_tax_associations(external_customer_id=customer.external_id)
    assert sorted(tax.tax_rate_id for tax in listed.items) == sorted([used.id, other.id])
    of_rate = sdk.tax_associations.list_tax_associations(tax_rate_id=other.id)
    assert [tax.id for tax in of_rate.items] == [made.id]
    step("list tax associations")

    after = sdk.tax_associations.update_tax_association(id=made.id, priority=1, auto_apply=True, metadata={}, tax_behavior="inclusive")
    assert after.tax_behavior == "inclusive"
    assert (after.priority, after.auto_apply, after.metadata) == (1, True, {})
    step("update a tax association")

    default = {"tax_rate_code": other.code, "entity_type": "tenant", "currency": "usd", "auto_apply": True}
    default = sdk.tax_associations.create_tax_association(**default)
    heir = sdk.customers.create_customer(external_id=f"heir-{RUN}", name="Heir")
    (taken,) = sdk.tax_associations.list_tax_associations(external_customer_id=f"heir-{RUN}").items
    assert (taken.tax_rate_id, taken.currency, taken.entity_id) == (other.id, "usd", heir.id)
    step("take a default tax over to a new customer")

    error, body = refused(400, sdk.tax_rates.delete_tax_rate, id=other.id)
    parsed(error, "invalid_operation")
    for tax in (made, default):
        sdk.tax_associations.delete_tax_association(id=tax.id)
        refused(404, sdk.tax_associations.delete_tax_association, id=tax.id)
    step("delete a tax association, once")


def keys():
    expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    made = sdk.secrets.create_api_key(name=f"sdk {RUN}", type_="private_key", expires_at=expires)
    assert made.api_key.startswith("sk_") and made.secret.id.startswith("secret_")
    assert made.secret.expires_at == expires and made.secret.type == "private_key"
    new = Flexprice(server_url=f"{os.environ['PATRON_URL']}/v1", api_key_auth=made.api_key)
    assert new.customers.query_customer(limit=1).items
    listed = sdk.secrets.list_api_keys(limit=100, offset=0, status="published")
    assert made.secret.id in [key.id for key in listed.items] and listed.pagination.total >= 2
    error, _ = refused(400, sdk.secrets.create_api_key, name="events", type_="publishable_key")
    parsed(error, "validation_error")
    step("create an API key, use it, list keys")

    assert sdk.secrets.delete_api_key(id=made.secret.id) is None
    error, body = refused(401, new.customers.query_customer, limit=1)
    assert body["code"] == "unauthenticated"
    step("delete an API key: it opens nothing any more")


def activity(customer):
    listed = sdk.activity.list_activity(customer_id=customer.id, limit=1)
    newest = listed.items[0]
    assert newest.entity.type == "customer" and newest.customer_id == customer.id and newest.action.startswith("customer.")
    assert newest.actor.type == "api_key" and listed.pagination.limit == 1
    shown = sdk.activity.get_activity(id=newest.id)
    assert (shown.id, shown.occurred_at) == (newest.id, newest.occurred_at)
    seen, cursor = [], None
    while True:
        page = sdk.activity.list_activity(customer_id=customer.id, limit=2, cursor=cursor)
        seen += [one.id for one in page.items]
        if not page.pagination.has_more:
            break
        cursor = page.pagination.next_cursor
    assert seen[0] == newest.id and len(seen) == len(set(seen))
    created = sdk.activity.list_activity(actions=["customer.created"], entity_id=customer.id)
    assert [one.id for one in created.items] == seen[-1:]
    refused(404, sdk.activity.get_activity, id="unknown")
    step("list activity by pages, and show one")


def refusals(customer):
    error, body = refused(409, sdk.customers.create_customer, external_id=customer.external_id, name="Twice")
    assert body["code"] == "already_exists" and body["details"]["external_id"]["existing_id"] == customer.id
    step("create a customer twice: 409 with the id that exists")

    bad = {"external_id": "", "name": "x" * 256, "email": "nobody", "address_country": "pl"}
    error, body = refused(400, sdk.customers.create_customer, **bad)
    parsed(error, "validation_error")
    assert sorted(body["details"]) == ["address_country", "email", "external_id", "name"]
    step("create a customer with four faults: 400 with all of them")

    override = {"tax_rate_code": "nowhere", "currency": "usd"}
    call = sdk.customers.create_customer
    error, body = refused(404, call, external_id=f"none-{RUN}", name="None", tax_rate_overrides=[override])
    assert body["code"] == "not_found"
    for call in (sdk.customers.get_customer, sdk.tax_rates.get_tax_rate, sdk.tax_associations.get_tax_association):
        error, body = refused(404, call, id="unknown")
        assert (body["code"], body["http_status_code"]) == ("not_found", 404)
    refused(404, sdk.environments.clone_environment, id="env_unknown", name="x", type_="development")
    step("ask for what is not there: 404")

    stranger = Flexprice(server_url=f"{os.environ['PATRON_URL']}/v1", api_key_auth="sk_nobody")
    refused(401, stranger.customers.get_customer, id=customer.id)
    step("ask with a wrong key: 401")


def main():
    customer, rate = customers()
    links(customer)
    rates()
    associations(customer, rate)
    keys()
    activity(customer)
    refusals(customer)
    step("all passed")


main()
