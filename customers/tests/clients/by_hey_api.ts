/** Acts by the client that @hey-api/openapi-ts makes, without a cast. */
import assert from "node:assert/strict";

import * as api from "./generated/hey";
import { client } from "./generated/hey/client.gen";

const { BASE_URL = "", CLIENT_ID = "", CLIENT_SECRET = "" } = process.env;
const throwOnError = true;
client.setConfig({ baseUrl: BASE_URL });

const token = await api.getAToken({
  body: {
    grant_type: "client_credentials",
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
  },
  throwOnError,
});
client.setConfig({ auth: token.data.access_token });

const email = `hey-${Date.now()}@example.com`;
const attributes = { email, metadata: { source: "hey" } };
const made = await api.customersCreate({
  body: { data: { type: "customers", attributes } },
  throwOnError,
});
const { id } = made.data.data;
assert.equal(made.data.data.attributes.status, "prospect");

const path = { id };
const changed = await api.customersPartialUpdate({
  path,
  body: { data: { type: "customers", id, attributes: { reference: "A-1" } } },
  throwOnError,
});
assert.equal(changed.data.data.attributes.reference, "A-1");

const page = await api.customersList({
  query: { "filter[q]": { email_eq: email }, "page[size]": 5, fields: { customers: "email" } },
  throwOnError,
});
assert.equal(page.data.meta.record_count, 1);
assert.equal(page.data.data[0]?.attributes.email, email);

const order = await api.ordersCreate({
  body: {
    data: {
      type: "orders",
      attributes: { currency_code: "EUR", total_amount_cents: 3400 },
      relationships: { customer: { data: { type: "customers", id } } },
    },
  },
  throwOnError,
});
const placed = await api.ordersPartialUpdate({
  path: { id: order.data.data.id },
  body: { data: { type: "orders", id: order.data.data.id, attributes: { _place: true } } },
  throwOnError,
});
assert.equal(placed.data.data.attributes.status, "placed");

const related = await api.customersOrders({ path, query: { include: "customer" }, throwOnError });
const customer = related.data.included?.find((one) => one.type === "customers");
assert.ok(customer?.type === "customers");
assert.equal(customer.attributes.total_orders_count, 1);

const tag = await api.tagsCreate({
  body: { data: { type: "tags", attributes: { name: `hey${Date.now()}` } } },
  throwOnError,
});
const identifier = { type: "tags", id: tag.data.data.id } as const;
await api.customersTagsAddLinkage({ path, body: { data: [identifier] }, throwOnError });
const tags = await api.customersTagsLinkage({ path, throwOnError });
assert.deepEqual(tags.data.data, [identifier]);

const taken = await api.customersCreate({ body: { data: { type: "customers", attributes } } });
assert.ok(typeof taken.error === "object");
assert.equal(taken.error.errors[0]?.source?.pointer, "/data/attributes/email");

const gone = await api.tagsDestroy({ path: { id: identifier.id } });
assert.equal(gone.response.status, 204);
