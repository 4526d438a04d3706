/** Acts by the types of openapi-typescript and the client openapi-fetch, without a cast. */
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./generated/paths.d.ts";

const { BASE_URL = "", CLIENT_ID = "", CLIENT_SECRET = "" } = process.env;
const headers = { "Content-Type": "application/vnd.api+json" };
const api = createClient<paths>({ baseUrl: BASE_URL, headers });

const token = await api.POST("/oauth/token", {
  headers: { "Content-Type": "application/json" },
  body: {
    grant_type: "client_credentials",
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
  },
});
assert.ok(token.data);
const authorization = `Bearer ${token.data.access_token}`;
api.use({ onRequest: ({ request }) => request.headers.set("Authorization", authorization) });

const email = `fetch-${Date.now()}@example.com`;
const attributes = { email, metadata: { source: "fetch", tries: 1 } };
const made = await api.POST("/api/customers", { body: { data: { type: "customers", attributes } } });
assert.ok(made.data);
const { id } = made.data.data;
const status: "prospect" | "acquired" | "repeat" | undefined = made.data.data.attributes.status;
assert.equal(status, "prospect");

const path = { id };
const changed = await api.PATCH("/api/customers/{id}", {
  params: { path },
  body: { data: { type: "customers", id, attributes: { reference: "A-1" } } },
});
assert.equal(changed.data?.data.attributes.reference, "A-1");

const query = { "filter[q]": { email_eq: email }, "page[size]": 5, sort: "-created_at" };
const page = await api.GET("/api/customers", {
  params: { query: { ...query, include: "orders", fields: { customers: "email,orders" } } },
});
assert.equal(page.data?.meta.record_count, 1);
assert.equal(page.data.data[0]?.attributes.email, email);

const order = await api.POST("/api/orders", {
  body: {
    data: {
      type: "orders",
      attributes: { currency_code: "EUR", total_amount_cents: 3400 },
      relationships: { customer: { data: { type: "customers", id } } },
    },
  },
});
assert.ok(order.data);
const placed = await api.PATCH("/api/orders/{id}", {
  params: { path: { id: order.data.data.id } },
  body: { data: { type: "orders", id: order.data.data.id, attributes: { _place: true } } },
});
assert.equal(placed.data?.data.attributes.status, "placed");

const related = await api.GET("/api/customers/{id}/orders", {
  params: { path, query: { include: "customer" } },
});
const customer = related.data?.included?.find((one) => one.type === "customers");
assert.ok(customer?.type === "customers");
assert.equal(customer.attributes.total_orders_count, 1);

const tag = await api.POST("/api/tags", {
  body: { data: { type: "tags", attributes: { name: `fetch${Date.now()}` } } },
});
assert.ok(tag.data);
const identifier = { type: "tags", id: tag.data.data.id } as const;
const tagged = await api.POST("/api/customers/{id}/relationships/tags", {
  params: { path },
  body: { data: [identifier] },
});
assert.equal(tagged.response.status, 204);
const tags = await api.GET("/api/customers/{id}/relationships/tags", { params: { path } });
assert.deepEqual(tags.data?.data, [identifier]);

const taken = await api.POST("/api/customers", { body: { data: { type: "customers", attributes } } });
assert.ok(typeof taken.error === "object");
assert.equal(taken.error.errors[0]?.source?.pointer, "/data/attributes/email");

const gone = await api.DELETE("/api/tags/{id}", { params: { path: { id: identifier.id } } });
assert.equal(gone.response.status, 204);
