// The flows of the official JavaScript SDK (npm `@flexprice/sdk`) against the server in PATRON_URL, with the key in PATRON_KEY.
// tests/sdk copies this file next to the SDK, because Node.js looks for the SDK there.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Flexprice } from "@flexprice/sdk";
import { ErrorsErrorsErrorResponse, FlexPriceError, ResponseValidationError } from "@flexprice/sdk/sdk/models";

const client = (apiKeyAuth) => new Flexprice({ serverURL: `${process.env.PATRON_URL}/v1`, apiKeyAuth });
const sdk = client(process.env.PATRON_KEY);
const RUN = randomUUID().slice(0, 8);

const step = (text) => console.log(`javascript: ${text}`);
const ids = (list) => list.items.map((item) => item.id);

/** Awaits a call that has to be refused; gives the error as the SDK read it, and its JSON. */
async function refused(status, call) {
  const unexpected = (answer) => assert.fail(`answered ${JSON.stringify(answer)}, not ${status}`);
  const error = await call.then(unexpected, (error) => error);
  assert.ok(error instanceof FlexPriceError, error);
  assert.equal(error.statusCode, status, error.body);
  return { error, body: JSON.parse(error.body) };
}

const aRate = (code, more = {}) =>
  sdk.taxRates.createTaxRate({ code, name: `Rate ${code}`, percentageValue: "19", taxRateType: "percentage", ...more });

async function customers() {
  const externalId = `gid://app/Customer ${RUN}?a=b#c%2F`;
  const rate = await aRate(`VAT-${RUN}`);
  const made = await sdk.customers.createCustomer({
    externalId,
    name: "Łódź GmbH",
    email: `billing.${RUN}@example.com`,
    addressLine1: "Piotrkowska 1",
    addressLine2: "2. piętro",
    addressCity: "Łódź",
    addressState: "Łódzkie",
    addressPostalCode: "90-001",
    addressCountry: "PL",
    metadata: { plan: "gold" },
    skipOnboardingWorkflow: true,
    taxRateOverrides: [{ taxRateCode: `VAT-${RUN}`, currency: "eur", priority: 3, metadata: { why: "sdk" } }],
  });
  assert.match(made.id, /^cust_/);
  assert.deepEqual([made.name, made.addressCity, made.status], ["Łódź GmbH", "Łódź", "published"]);
  assert.deepEqual(made.metadata, { plan: "gold" });
  const taxes = await sdk.taxAssociations.listTaxAssociations("customer", made.id);
  const taken = taxes.items.map((tax) => [tax.taxRateId, tax.currency, tax.priority, tax.autoApply]);
  assert.deepEqual(taken, [[rate.id, "eur", 3, true]]);
  step("create a customer with a tax");

  assert.deepEqual(await sdk.customers.getCustomer(made.id), made);
  step("get a customer");
  assert.deepEqual(await sdk.customers.getCustomerByExternalId(externalId), made);
  step("get a customer by an external id with slashes and other characters");

  const once = { headers: { "Idempotency-Key": `plain-${RUN}` } };
  const plain = await sdk.customers.createCustomer({ externalId: `plain-${RUN}` }, once);
  assert.deepEqual(await sdk.customers.createCustomer({ externalId: `plain-${RUN}` }, once), plain);
  assert.deepEqual([plain.name, plain.email, plain.metadata], ["", "", {}]);
  assert.deepEqual(await sdk.customers.getCustomerByExternalId(`plain-${RUN}`), plain);
  step("create a customer with only an external id, and get it by that");

  await search(made, plain);
  await update(made, plain);

  assert.equal(await sdk.customers.deleteCustomer(plain.id), undefined);
  assert.equal((await sdk.customers.getCustomer(plain.id)).status, "archived");
  await refused(404, sdk.customers.getCustomerByExternalId(`plain-${RUN}`));
  await refused(404, sdk.customers.deleteCustomer(plain.id));
  const archived = { status: "archived", externalIds: [`plain-${RUN}`] };
  assert.deepEqual(ids(await sdk.customers.queryCustomer(archived)), [plain.id]);
  step("delete a customer: found by its id alone, once");
  return { made, rate };
}

async function search(made, plain) {
  const externalIds = [made.externalId, plain.externalId];
  const found = async (query) => ids(await sdk.customers.queryCustomer(query));

  const listed = await sdk.customers.queryCustomer({});
  assert.deepEqual(ids(listed).slice(0, 2), [plain.id, made.id]);
  assert.ok(listed.pagination.total >= 2 && listed.pagination.limit === 50 && listed.pagination.offset === 0);
  step("list customers");

  const page = await sdk.customers.queryCustomer({ externalIds, limit: 1, offset: 1, order: "asc", expand: "integrations" });
  assert.deepEqual(ids(page), [plain.id]);
  assert.deepEqual([page.pagination.total, page.pagination.limit, page.pagination.offset], [2, 1, 1]);
  step("page through customers");

  const shifted = (hours) => new Date(Date.parse(made.createdAt) + hours * 3_600_000).toISOString();
  const [early, late] = [shifted(-1), shifted(1)];
  assert.deepEqual(await found({ externalIds, startTime: early, endTime: late }), [plain.id, made.id]);
  assert.deepEqual(await found({ externalIds, startTime: late }), []);
  assert.deepEqual(await found({ customerIds: [made.id] }), [made.id]);
  assert.deepEqual(await found({ externalIds: [] }), []);
  assert.deepEqual(await found({ email: made.email }), [made.id]);
  assert.deepEqual(await found({ externalId: made.externalId }), [made.id]);
  for (const [field, operator, dataType, value, wanted] of [
    ["name", "contains", "string", { string: "łódź" }, [made.id]],
    ["name", "not_contains", "string", { string: "łódź" }, [plain.id]],
    ["external_id", "eq", "string", { string: plain.externalId }, [plain.id]],
    ["email", "in", "array", { array: [made.email, "x@example.com"] }, [made.id]],
    ["email", "not_in", "array", { array: [made.email] }, [plain.id]],
    ["created_at", "after", "date", { date: early }, [plain.id, made.id]],
    ["created_at", "before", "date", { date: early }, []],
    ["created_at", "gt", "date", { date: late }, []],
    ["created_at", "lt", "date", { date: late }, [plain.id, made.id]],
  ]) {
    const filters = [{ field, operator, dataType, value }];
    assert.deepEqual(await found({ externalIds, filters }), wanted, `${field} ${operator}`);
  }
  assert.deepEqual(await found({ externalIds, sort: [{ field: "name", direction: "asc" }] }), [plain.id, made.id]);
  step("search customers by every operator and by time");

  const wrong = [{ field: "colour", operator: "eq", value: { string: "red" } }];
  const { error, body } = await refused(400, sdk.customers.queryCustomer({ filters: wrong }));
  assert.ok(error instanceof ErrorsErrorsErrorResponse);
  assert.ok("filters[0].field" in body.details);
  step("search customers by an unknown field: 400");
}

async function update(made, plain) {
  const change = { name: "Łódź SE", addressLine2: "", metadata: { plan: "silver" } };
  const after = await sdk.customers.updateCustomer(change, made.id);
  assert.deepEqual([after.name, after.addressLine2, after.email], ["Łódź SE", "", made.email]);
  assert.deepEqual(after.metadata, { plan: "silver" });
  assert.ok(after.updatedAt > made.updatedAt && after.createdAt === made.createdAt);
  assert.deepEqual(await sdk.customers.getCustomer(made.id), after);
  const named = await sdk.customers.updateCustomer({ name: "Plain" }, undefined, plain.externalId);
  assert.deepEqual([named.id, named.name], [plain.id, "Plain"]);
  const stale = { headers: { "If-Match": '"1"' } };
  const late = await refused(412, sdk.customers.updateCustomer({ name: "Late" }, made.id, undefined, stale));
  assert.equal(late.body.details["If-Match"].current_version, 2);
  step("update a customer by its id and by its external id");
}

async function links(customer) {
  // This SDK has no link, delink or list: it calls earlier routes of Flexprice.
  const mapping = { entityType: "customer", entityId: customer.id, providerType: "stripe", providerEntityId: "cus_1" };
  await refused(404, sdk.entityIntegrationMappings.createEntityIntegrationMapping(mapping));
  const old = { externalId: `old-${RUN}`, integrationEntityMapping: [{ id: "cus_1", provider: "stripe" }] };
  const { body } = await refused(400, sdk.customers.createCustomer(old));
  assert.deepEqual(Object.keys(body.details).sort(), [
    "integration_entity_mapping[0].provider_entity_id", "integration_entity_mapping[0].provider_type",
  ]);
  step("link a customer by an earlier route or with earlier fields: refused, not silently ignored");
}

async function rates() {
  const code = `GST-${RUN}`;
  const more = { description: "Goods", scope: "EXTERNAL", metadata: { region: "IN" }, percentageValue: "18.00" };
  const made = await aRate(code, more);
  assert.match(made.id, /^taxrate_/);
  assert.deepEqual([made.code, made.percentageValue, made.scope, made.taxRateStatus], [code, "18", "EXTERNAL", "ACTIVE"]);
  assert.deepEqual(await sdk.taxRates.getTaxRate(made.id), made);
  const fee = { code: `FIX-${RUN}`, name: "Fee", taxRateType: "fixed", fixedValue: "2.50" };
  const fixed = await sdk.taxRates.createTaxRate(fee);
  assert.deepEqual([fixed.taxRateType, fixed.fixedValue], ["fixed", "2.5"]);
  step("create and get tax rates");

  // This SDK expects a bare array and the Python SDK an envelope. This one puts the envelope into its validation error.
  const query = { taxrateCodes: [code, fixed.code], order: "asc" };
  const error = await sdk.taxRates.getTaxRates(query).catch((error) => error);
  assert.ok(error instanceof ResponseValidationError && error.statusCode === 200);
  assert.deepEqual(ids(error.rawValue), [made.id, fixed.id]);
  step("list tax rates: an envelope, which this SDK returns in its validation error");

  const change = { name: "GST", description: "", metadata: {}, taxRateStatus: "INACTIVE" };
  const after = await sdk.taxRates.updateTaxRate(made.id, change);
  assert.deepEqual([after.name, after.description, after.metadata, after.taxRateStatus], ["GST", "", {}, "INACTIVE"]);
  step("update a tax rate");

  await refused(409, aRate(code));
  const { body } = await refused(400, aRate(`BAD-${RUN}`, { percentageValue: "101" }));
  assert.ok("percentage_value" in body.details);
  assert.equal(await sdk.taxRates.deleteTaxRate(made.id), undefined);
  await refused(404, sdk.taxRates.deleteTaxRate(made.id));
  step("delete a tax rate, once");
}

async function associations(customer, used) {
  const other = await aRate(`LOCAL-${RUN}`);
  const made = await sdk.taxAssociations.createTaxAssociation({
    taxRateCode: other.code, externalCustomerId: customer.externalId, currency: "EUR", priority: 7, autoApply: false,
    metadata: { a: "b" },
  });
  assert.match(made.id, /^ta_/);
  assert.deepEqual([made.entityType, made.entityId, made.priority, made.autoApply], ["customer", customer.id, 7, false]);
  assert.equal((await sdk.taxAssociations.getTaxAssociation(made.id)).taxRate.code, other.code);
  step("create and get a tax association");

  const listed = await sdk.taxAssociations.listTaxAssociations(undefined, undefined, customer.externalId);
  assert.deepEqual(listed.items.map((tax) => tax.taxRateId).sort(), [used.id, other.id].sort());
  const ofRate = await sdk.taxAssociations.listTaxAssociations(undefined, undefined, undefined, other.id);
  assert.deepEqual(ids(ofRate), [made.id]);
  step("list tax associations");

  const after = await sdk.taxAssociations.updateTaxAssociation(made.id, { priority: 1, autoApply: true, metadata: {} });
  assert.deepEqual([after.priority, after.autoApply, after.metadata], [1, true, {}]);
  step("update a tax association");

  const { body } = await refused(400, sdk.taxRates.deleteTaxRate(other.id));
  assert.equal(body.code, "invalid_operation");
  await sdk.taxAssociations.deleteTaxAssociation(made.id);
  await refused(404, sdk.taxAssociations.deleteTaxAssociation(made.id));
  step("delete a tax association, once");
}

async function keys() {
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const made = await sdk.secrets.createApiKey({ name: `sdk ${RUN}`, type: "private_key", expiresAt });
  assert.match(made.apiKey, /^sk_/);
  assert.equal(Date.parse(made.secret.expiresAt), Date.parse(expiresAt));
  const fresh = client(made.apiKey);
  assert.equal((await fresh.customers.queryCustomer({ limit: 1 })).items.length, 1);
  assert.ok(ids(await sdk.secrets.listApiKeys(100, 0, "published")).includes(made.secret.id));
  step("create an API key, use it, list keys");

  assert.equal(await sdk.secrets.deleteApiKey(made.secret.id), undefined);
  assert.equal((await refused(401, fresh.customers.queryCustomer({ limit: 1 }))).body.code, "unauthenticated");
  step("delete an API key: it no longer works");
}

async function environments() {
  const made = await sdk.environments.createEnvironment({ name: `Staging ${RUN}`, type: "development" });
  assert.match(made.id, /^env_/);
  assert.deepEqual([made.name, made.type], [`Staging ${RUN}`, "development"]);
  const after = await sdk.environments.updateEnvironment(made.id, { name: `Canary ${RUN}` });
  assert.deepEqual([after.id, after.name, after.type], [made.id, `Canary ${RUN}`, "development"]);
  await refused(400, sdk.environments.createEnvironment({ name: "x", type: "sandbox" }));
  await refused(404, sdk.environments.updateEnvironment("env_unknown", { name: "x" }));
  step("create and rename an environment");
}

async function refusals(customer) {
  const twice = await refused(409, sdk.customers.createCustomer({ externalId: customer.externalId }));
  assert.equal(twice.body.details.external_id.existing_id, customer.id);
  step("create a customer twice: 409 with the id that exists");

  const bad = { externalId: "", name: "x".repeat(256), email: "nobody", addressCountry: "pl" };
  const { error, body } = await refused(400, sdk.customers.createCustomer(bad));
  assert.ok(error instanceof ErrorsErrorsErrorResponse);
  assert.deepEqual(Object.keys(body.details).sort(), ["address_country", "email", "external_id", "name"]);
  assert.deepEqual([body.code, body.http_status_code], ["validation_error", 400]);
  step("create a customer with four faults: 400 with all of them");

  const taxRateOverrides = [{ taxRateCode: "nowhere", currency: "usd" }];
  await refused(404, sdk.customers.createCustomer({ externalId: `none-${RUN}`, taxRateOverrides }));
  await refused(404, sdk.customers.getCustomer("unknown"));
  await refused(404, sdk.taxRates.getTaxRate("unknown"));
  await refused(404, sdk.taxAssociations.getTaxAssociation("unknown"));
  step("ask for what is not there: 404");

  await refused(401, client("sk_nobody").customers.getCustomer(customer.id));
  step("ask with a wrong key: 401");
}

const { made, rate } = await customers();
await links(made);
await rates();
await associations(made, rate);
await keys();
await environments();
await refusals(made);
step("all passed");
