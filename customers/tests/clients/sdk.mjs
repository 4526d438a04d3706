/**
 * js-auth and the SDK, unchanged, on the customer and on all that every type offers.
 *
 * EXPIRED_TOKEN, which may be left out, is a token of the service whose time is over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  authenticate,
  getCoreApiBaseEndpoint,
  getTokenType,
  InvalidTokenError,
  jwtDecode,
  jwtIsIntegration,
  jwtVerify,
  makeIntegration,
  revoke,
  TokenExpiredError,
} from "@commercelayer/js-auth";
import { CommerceLayer } from "@commercelayer/sdk/bundle";

import {
  accessToken,
  API,
  BASE_URL,
  cl,
  CLIENT_ID,
  clientWith,
  credentials,
  DOMAIN,
  forged,
  ID,
  INSTANT,
  invalid,
  invalidToken,
  locked,
  names,
  newCustomer,
  newEmail,
  newGroup,
  newStorage,
  newTag,
  notAllowed,
  notFound,
  refused,
  toService,
  unique,
  watched,
} from "./service.mjs";

const { EXPIRED_TOKEN } = process.env;

const groupOf = (customer) =>
  cl.customers
    .retrieve(customer.id, { include: ["customer_group"] })
    .then(({ customer_group }) => customer_group);
const tagsOf = (customer) => cl.customers.tags(customer.id).then(names);

const emails = (list) => Array.from(list, ({ email }) => email);

// js-auth

test("js-auth gets a token by client credentials", async () => {
  const [answer, requests] = await watched(() => authenticate("client_credentials", credentials));
  const { createdAt, expires } = answer;

  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/token`]);
  assert.deepEqual(answer, {
    accessToken: answer.accessToken,
    tokenType: "bearer",
    expiresIn: 7200,
    scope: "market:all",
    createdAt,
    expires,
  });
  assert.ok(Math.abs(createdAt * 1000 - Date.now()) < 60_000);
  assert.ok(Math.abs(expires - Date.now() - 7200 * 1000) < 60_000);
});

test("js-auth is given the scope it asks for", async () => {
  const scope = "market:id:AbCdEfGhIj";
  const answer = await authenticate("client_credentials", { ...credentials, scope });

  assert.equal(answer.scope, scope);
  assert.equal(jwtDecode(answer.accessToken).payload.scope, scope);
});

test("js-auth gets the whole scope for an empty one, whatever else it sends along", async () => {
  const more = { scope: "", slug: "clientele", colour: "red" }; // as the official CLI does
  const answer = await authenticate("client_credentials", { ...credentials, ...more });

  assert.equal(answer.scope, "market:all");
});

test("js-auth is told of a wrong secret", async () => {
  const wrong = { ...credentials, clientSecret: "wrong" };
  const answer = await authenticate("client_credentials", wrong);

  assert.equal(answer.accessToken, undefined);
  assert.equal(answer.error, "invalid_client");
  assert.deepEqual(answer.errors, [
    {
      title: "invalid_client",
      detail: answer.errorDescription,
      code: "UNAUTHORIZED",
      status: 401,
      meta: {},
    },
  ]);
});

test("js-auth is told of an unknown client as of a wrong secret", async () => {
  const wrong = { ...credentials, clientSecret: "wrong" };
  const unknown = { ...credentials, clientId: "unknown" };

  assert.deepEqual(
    await authenticate("client_credentials", unknown),
    await authenticate("client_credentials", wrong),
  );
});

test("js-auth is told that a grant is not offered", async () => {
  const code = { code: "a code", redirectUri: "https://example.com" };
  const answer = await authenticate("authorization_code", { ...credentials, ...code });

  assert.equal(answer.accessToken, undefined);
  assert.equal(answer.errors[0].title, "unsupported_grant_type");
  assert.equal(answer.errors[0].status, 400);
});

test("js-auth decodes the token", () => {
  const { header, payload } = jwtDecode(accessToken);

  assert.deepEqual(header, { alg: "RS512", typ: "JWT", kid: header.kid });
  assert.deepEqual(payload, {
    organization: {
      id: "clientele",
      slug: "clientele",
      enterprise: false,
      region: "self-hosted",
    },
    application: {
      id: payload.application.id,
      client_id: CLIENT_ID,
      kind: "integration",
      public: false,
      confidential: true,
    },
    scope: "market:all",
    generation: 0,
    iat: payload.iat,
    exp: payload.iat + 7200,
    iss: `https://auth.${DOMAIN}`,
    jti: payload.jti,
    rand: payload.rand,
    test: true,
  });
  assert.match(payload.application.id, ID);
  assert.ok(jwtIsIntegration(payload));
  assert.equal(getTokenType(payload), "integration:guest");
  assert.equal(`${getCoreApiBaseEndpoint(accessToken)}/api`, API);
});

test("js-auth verifies the token against the published keys", async () => {
  const [verified, requests] = await watched(() => jwtVerify(accessToken));

  assert.deepEqual(verified, jwtDecode(accessToken));
  assert.deepEqual(requests, [`GET https://auth.${DOMAIN}/.well-known/jwks.json`]);
});

test("js-auth does not verify a token with another signature", async () => {
  await assert.rejects(jwtVerify(forged(accessToken)), InvalidTokenError);
});

test("js-auth revokes a token, which is dead at the next request", async () => {
  const { accessToken: doomed } = await authenticate("client_credentials", credentials);
  const client = clientWith({ accessToken: doomed });
  await client.customers.list({ pageSize: 1 });

  const [answer, requests] = await watched(() => revoke({ ...credentials, token: doomed }));

  assert.deepEqual(answer, {});
  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/revoke`]);
  await assert.rejects(client.customers.list(), invalidToken);
  await cl.customers.list({ pageSize: 1 });
});

test("js-auth's integration takes the stored token for as long as it is good", async () => {
  const integration = makeIntegration(credentials, { storage: newStorage() });

  const first = await integration.getAuthorization();
  const [second, requests] = await watched(() => integration.getAuthorization());

  assert.equal(first.ownerType, "guest");
  assert.equal(second.accessToken, first.accessToken);
  assert.deepEqual(requests, []);
});

// The SDK's way to the service

test("the SDK finds the organization and the domain in the token", async () => {
  const [, requests] = await watched(() => clientWith({ accessToken }).customers.list());

  assert.equal(cl.currentOrganization, "clientele");
  assert.deepEqual(requests, [`GET ${API}/customers?page[number]=1`]);
});

test("the SDK reaches the service by a request interceptor", async () => {
  const intercepted = CommerceLayer({ accessToken });
  intercepted.addRequestInterceptor(({ url, options }) => ({ url: toService(url), options }));
  const { id, email } = await newCustomer();

  assert.equal((await intercepted.customers.retrieve(id)).email, email);
});

test("the SDK's raw reader sees the whole document", async () => {
  const reading = clientWith({ accessToken });
  const reader = reading.addRawResponseReader({ headers: true });
  const { id } = await newCustomer();
  await reading.customers.retrieve(id);
  const { data } = reader.rawResponse;

  assert.equal(reader.headers["content-type"], "application/vnd.api+json");
  assert.equal(data.links.self, `${BASE_URL}/api/customers/${id}`);
  assert.deepEqual(data.meta, { mode: "test", organization_id: "clientele" });
  assert.deepEqual(data.relationships.tags, {
    links: {
      self: `${BASE_URL}/api/customers/${id}/relationships/tags`,
      related: `${BASE_URL}/api/customers/${id}/tags`,
    },
  });
});

// Create, retrieve, update, delete

test("a customer is created with a group, tags, metadata and a password", async () => {
  const group = await newGroup({ code: unique("code") });
  const tags = [await newTag(), await newTag()];
  const email = newEmail("Ada+Lovelace");
  const customer = await cl.customers.create(
    {
      email,
      password: "correct horse battery",
      tax_exemption_code: "€ 7",
      reference: "A-1",
      reference_origin: "shop",
      metadata: { size: "L", nested: { list: [1, 2.5, null, true] } },
      customer_group: cl.customer_groups.relationship(group.id),
      tags: cl.tags.relationshipToMany(...tags.map(({ id }) => id)),
    },
    { include: ["customer_group", "tags"] },
  );
  const { id, shopper_reference, profile_id, created_at, updated_at } = customer;

  assert.deepEqual(customer, {
    id,
    type: "customers",
    email,
    status: "prospect",
    has_password: true,
    total_orders_count: 0,
    shopper_reference,
    profile_id,
    tax_exemption_code: "€ 7",
    created_at,
    updated_at,
    reference: "A-1",
    reference_origin: "shop",
    jwt_custom_claim: null,
    metadata: { size: "L", nested: { list: [1, 2.5, null, true] } },
    anonymization_info: null,
    anonymization_status: null,
    customer_group: group,
    tags,
  });
  assert.match(id, ID);
  assert.match(created_at, INSTANT);
  assert.match(shopper_reference, /^[0-9a-f]{32}$/);
  assert.match(profile_id, /^[0-9a-f]{32}$/);
  assert.deepEqual(
    await cl.customers.retrieve(id, { include: ["customer_group", "tags"] }),
    customer,
  );
});

test("a whole resource may stand where its identifier is meant", async () => {
  const group = await newGroup();
  const customer = await newCustomer({ customer_group: group }, { include: ["customer_group"] });

  assert.deepEqual(customer.customer_group, group);
});

test("a customer is retrieved without the relationships that were not asked for", async () => {
  const { id } = await newCustomer({ tags: [await newTag()] });
  const customer = await cl.customers.retrieve(id);

  assert.equal("tags" in customer, false);
  assert.equal("customer_group" in customer, false);
});

test("fields as an array narrow the type of the call", async () => {
  const { id, email } = await newCustomer();
  const [customer, requests] = await watched(() =>
    cl.customers.retrieve(id, { fields: ["id", "email"] }),
  );

  assert.deepEqual(customer, { id, type: "customers", email });
  assert.deepEqual(requests, [`GET ${API}/customers/${id}?fields[customers]=id,email`]);
});

test("fields as an object narrow the included types too", async () => {
  const group = await newGroup();
  const tag = await newTag();
  const { id, email } = await newCustomer({ customer_group: group, tags: [tag] });
  const customer = await cl.customers.retrieve(id, {
    include: ["customer_group", "tags"],
    fields: {
      customers: ["email", "customer_group", "tags"],
      customer_groups: ["name"],
      tags: ["name"],
    },
  });

  assert.deepEqual(customer, {
    id,
    type: "customers",
    email,
    customer_group: { id: group.id, type: "customer_groups", name: "Wholesale" },
    tags: [{ id: tag.id, type: "tags", name: tag.name }],
  });
});

test("relationships that are empty are included as null and as nothing", async () => {
  const { id } = await newCustomer();
  const customer = await cl.customers.retrieve(id, { include: ["customer_group", "tags"] });

  assert.equal(customer.customer_group, null);
  assert.deepEqual(customer.tags, []);
});

test("an include goes on through a relationship", async () => {
  const group = await newGroup();
  const [tag, otherTag] = [await newTag(), await newTag()];
  const customer = await newCustomer({ customer_group: group, tags: [tag] });
  const other = await newCustomer({ customer_group: group, tags: [otherTag] });
  const found = await cl.customers.retrieve(customer.id, {
    include: ["tags", "customer_group.customers.tags"],
  });

  const { customers, ...itsGroup } = found.customer_group;
  assert.deepEqual(itsGroup, group);
  assert.deepEqual(
    customers.map(({ id }) => id),
    [customer.id, other.id],
  );
  assert.deepEqual(customers[1], { ...other, tags: [otherTag] });
  assert.deepEqual(found.tags, [tag]);
});

test("an update changes what it names and nothing else", async () => {
  const tag = await newTag();
  const { updated_at, ...before } = await newCustomer(
    { reference: "A-1", metadata: { size: "L", colour: "red" }, tags: [tag] },
    { include: ["tags"] },
  );
  const { updated_at: updatedAfter, ...after } = await cl.customers.update(
    { id: before.id, reference: null, metadata: { size: "M" }, password: "correct horse battery" },
    { include: ["tags"] },
  );

  assert.deepEqual(after, {
    ...before,
    reference: null,
    metadata: { size: "M" },
    has_password: true,
  });
  assert.ok(updatedAfter > updated_at);
});

test("groups and tags are updated too", async () => {
  const [group, tag] = [await newGroup(), await newTag()];
  const name = unique("new");
  await cl.customer_groups.update({ id: group.id, name: "Retail", code: name });
  await cl.tags.update({ id: tag.id, name });

  const { name: groupName, code } = await cl.customer_groups.retrieve(group.id);
  assert.deepEqual({ groupName, code }, { groupName: "Retail", code: name });
  assert.equal((await cl.tags.retrieve(tag.id)).name, name);
});

test("a group is taken from a customer by null and by an empty relationship", async () => {
  const group = await newGroup();
  for (const customer_group of [null, cl.customer_groups.relationship(null)]) {
    const customer = await newCustomer({ customer_group: group });
    assert.deepEqual(await groupOf(customer), group);

    await cl.customers.update({ id: customer.id, customer_group });

    assert.equal(await groupOf(customer), null);
  }
});

test("tags are replaced, and cleared by [] and by an empty relationship", async () => {
  const [first, second] = [await newTag(), await newTag()];
  for (const tags of [[], cl.tags.relationshipToMany()]) {
    const customer = await newCustomer({ tags: [first] });
    await cl.customers.update({ id: customer.id, tags: [second] });
    assert.deepEqual(await tagsOf(customer), [second.name]);

    await cl.customers.update({ id: customer.id, tags });

    assert.deepEqual(await tagsOf(customer), []);
  }
});

test("the tag helpers add and remove by name and pass over what is no tag", async () => {
  const [first, second] = [await newTag(), await newTag()];
  const customer = await newCustomer({ tags: [first] });

  const added = await cl.customers._add_tags(
    customer.id,
    `${second.name.toUpperCase()},${unique("none")},no tag!`,
    { include: ["tags"] },
  );
  assert.deepEqual(names(added.tags), [first.name, second.name]);

  const left = await cl.customers._remove_tags(customer, `${first.name},${unique("none")}`, {
    include: ["tags"],
  });
  assert.deepEqual(names(left.tags), [second.name]);
  assert.deepEqual(await tagsOf(customer), [second.name]);
});

test("a deleted customer is not found any more", async () => {
  const { id } = await newCustomer({ tags: [await newTag()] });

  assert.equal(await cl.customers.delete(id), undefined);

  await assert.rejects(cl.customers.retrieve(id), notFound);
  await assert.rejects(cl.customers.update({ id, reference: "A-1" }), notFound);
  await assert.rejects(cl.customers.delete(id), notFound);
  await assert.rejects(cl.customers.tags(id), notFound);
});

test("a deleted tag leaves its customers", async () => {
  const tag = await newTag();
  const customer = await newCustomer({ tags: [tag] });

  await cl.tags.delete(tag);

  assert.deepEqual(await tagsOf(customer), []);
});

test("a group that still has customers is locked", async () => {
  const group = await newGroup();
  const customer = await newCustomer({ customer_group: group });

  await assert.rejects(cl.customer_groups.delete(group.id), locked("it still has 1 customer"));
  assert.deepEqual(await groupOf(customer), group);

  await cl.customers.delete(customer.id);
  await cl.customer_groups.delete(group.id);
  await assert.rejects(cl.customer_groups.retrieve(group.id), notFound);
});

// Lists

/** Three customers of one origin, made for the tests of filters and order. */
async function threeCustomers() {
  const origin = unique("origin");
  const group = await newGroup({ name: unique("group"), code: unique("code") });
  const tag = await newTag();
  const create = (name, members) =>
    newCustomer({ email: newEmail(name), reference_origin: origin, ...members });
  const ada = await create("ada+1", {
    password: "correct horse battery",
    reference: "A,1 & 100%",
    metadata: { size: "L", nested: { colours: ["red", "blue"] }, note: "a, b + c" },
    customer_group: group,
    tags: [tag],
  });
  const bob = await create("bob", {});
  const cid = await create("cid", { reference: "C-3", metadata: { size: "M" } });
  return { origin, group, tag, ada, bob, cid };
}

test("lists are filtered by every shape of value that the SDK sends", async () => {
  const { origin, group, tag, ada, bob, cid } = await threeCustomers();
  const cases = [
    [{ email_eq: ada.email }, [ada]],
    [{ email_eq: ada.email.toUpperCase() }, [ada]],
    [{ email_not_eq: ada.email }, [bob, cid]],
    [{ email_in: [ada.email, cid.email] }, [ada, cid]],
    [{ email_not_in: [ada.email, cid.email] }, [bob]],
    [{ email_not_eq_all: [ada.email, cid.email] }, [bob]],
    [{ id_in: [bob.id, "unknown"] }, [bob]],
    [{ email_start: "ada+1-" }, [ada]],
    [{ email_end: "@example.com" }, [ada, bob, cid]],
    [{ email_cont: "BOB-" }, [bob]],
    [{ email_not_cont: "bob-" }, [ada, cid]],
    [{ email_matches: "c_d-%@example.com" }, [cid]],
    [{ email_cont_any: ["bob", "cid"] }, [bob, cid]],
    [{ email_cont_all: ["cid", "example"] }, [cid]],
    [{ email_i_cont_any: ["BOB", "CID"] }, [bob, cid]],
    [{ reference_eq: "A,1 & 100%" }, [ada]],
    [{ reference_cont: "100%" }, [ada]],
    [{ reference_null: true }, [bob]],
    [{ reference_null: false }, [ada, cid]],
    [{ reference_not_null: true }, [ada, cid]],
    [{ reference_present: true }, [ada, cid]],
    [{ reference_blank: true }, [bob]],
    [{ reference_eq_or_null: "C-3" }, [bob, cid]],
    [{ reference_not_eq_or_null: "C-3" }, [ada, bob]],
    [{ reference_in_or_null: "C-3,D-4" }, [bob, cid]],
    [{ reference_not_in_or_null: ["C-3", "D-4"] }, [ada, bob]],
    [{ total_orders_count_lt: 1 }, [ada, bob, cid]],
    [{ total_orders_count_gteq_any: [0, 5] }, [ada, bob, cid]],
    [{ total_orders_count_gteq_all: [0, 5] }, []],
    [{ status_in: ["acquired", "repeat"] }, []],
    [{ created_at_gteq: ada.created_at }, [ada, bob, cid]],
    [{ created_at_lteq: "2018-01-01" }, []],
    [{ password_present: true }, [ada]],
    [{ password_present: false }, [bob, cid]],
    [{ email_or_reference_eq: "C-3" }, [cid]],
    [{ reference_or_customer_group_name_cont: "group-" }, [ada]],
    [{ customer_group_code_eq: group.code }, [ada]],
    [{ customer_group_id_in: [group.id] }, [ada]],
    [{ customer_group_name_eq_or_null: group.name }, [ada, bob, cid]],
    [{ tags_name_eq: tag.name }, [ada]],
    [{ tags_id_in: [tag.id] }, [ada]],
    [{ metadata_jcont: { size: "L" } }, [ada]],
    [{ metadata_jcont: { nested: { colours: ["blue"] } } }, [ada]],
    [{ metadata_jcont: { note: "a, b + c" } }, [ada]],
    [{ metadata_jcont: { size: "L", colour: "red" } }, []],
    [{ email_start: "c", reference_eq: "C-3", metadata_jcont: {} }, [cid]],
  ];

  for (const [filters, expected] of cases) {
    const found = await cl.customers.list({
      filters: { reference_origin_eq: origin, ...filters },
    });
    assert.deepEqual(emails(found), emails(expected), JSON.stringify(filters));
    assert.equal(found.recordCount, expected.length, JSON.stringify(filters));
  }
});

test("lists come in the order of making, or as sorted in either spelling", async () => {
  const { origin, ada, bob, cid } = await threeCustomers();
  const cases = [
    [undefined, [ada, bob, cid]],
    [{ email: "desc" }, [cid, bob, ada]],
    [["-email"], [cid, bob, ada]],
    [{ status: "asc", created_at: "desc" }, [cid, bob, ada]],
    [["status", "created_at"], [ada, bob, cid]],
    [["reference"], [ada, cid, bob]],
    [["-id"], [cid, bob, ada]],
  ];

  for (const [sort, expected] of cases) {
    const found = await cl.customers.list({ sort, filters: { reference_origin_eq: origin } });
    assert.deepEqual(emails(found), emails(expected), JSON.stringify(sort));
  }
});

test("a list includes what each of its rows has", async () => {
  const { origin, group, tag } = await threeCustomers();
  const found = await cl.customers.list({
    filters: { reference_origin_eq: origin },
    include: ["customer_group", "tags"],
    fields: ["customer_group", "tags"],
  });

  assert.deepEqual(
    Array.from(found, ({ customer_group, tags }) => [customer_group, tags]),
    [[group, [tag]], [null, []], [null, []]],
  );
});

test("a list has ten rows a page, or as many as asked for", async () => {
  const group = await newGroup();
  const rows = [];
  for (let count = 0; count < 11; count += 1) {
    rows.push(await newCustomer({ customer_group: group }));
  }
  const filters = { customer_group_id_eq: group.id };

  const first = await cl.customers.list({ filters });
  assert.deepEqual(emails(first), emails(rows.slice(0, 10)));
  assert.deepEqual(first.meta, {
    pageCount: 2,
    recordCount: 11,
    currentPage: 1,
    recordsPerPage: 10,
  });
  assert.deepEqual([first.hasPrevPage(), first.hasNextPage()], [false, true]);

  const third = await cl.customers.list({ filters, pageNumber: 3, pageSize: 4 });
  assert.deepEqual(emails(third), emails(rows.slice(8)));
  assert.deepEqual(third.meta, {
    pageCount: 3,
    recordCount: 11,
    currentPage: 3,
    recordsPerPage: 4,
  });
  assert.deepEqual([third.hasPrevPage(), third.hasNextPage()], [true, false]);

  const beyond = await cl.customers.list({ filters, pageNumber: 9, pageSize: 25 });
  assert.deepEqual(emails(beyond), []);
  assert.deepEqual([beyond.recordCount, beyond.pageCount], [11, 1]);
});

test("every row is met once when a program follows the pages", async () => {
  const { origin, ada, bob, cid } = await threeCustomers();
  const met = [];
  let page;
  let pageNumber = 0;
  do {
    pageNumber += 1;
    page = await cl.customers.list({
      filters: { reference_origin_eq: origin },
      sort: ["status"],
      pageNumber,
      pageSize: 1,
    });
    met.push(...emails(page));
  } while (page.hasNextPage());

  assert.deepEqual(met, emails([ada, bob, cid]));
});

test("count tells the rows that a filter finds", async () => {
  const { origin } = await threeCustomers();

  assert.equal(await cl.customers.count({ reference_origin_eq: origin }), 3);
  assert.equal(await cl.customers.count({ reference_origin_eq: origin, email_start: "ada" }), 1);
  assert.equal(await cl.customers.count({ reference_origin_eq: unique("origin") }), 0);
});

// Nested routes

test("a customer's group is found by its route, and null when there is none", async () => {
  const group = await newGroup();
  const member = await newCustomer({ customer_group: group });
  const single = await newCustomer();

  assert.deepEqual(await cl.customers.customer_group(member.id), group);
  assert.deepEqual(await cl.customers.customer_group(member, { fields: ["name"] }), {
    id: group.id,
    type: "customer_groups",
    name: "Wholesale",
  });
  assert.equal(await cl.customers.customer_group(single.id), null);
});

test("a customer's tags are a list of their own", async () => {
  const tags = [await newTag(), await newTag(), await newTag()];
  const customer = await newCustomer({ tags });
  await newCustomer({ tags: [await newTag()] });

  const all = await cl.customers.tags(customer.id);
  assert.deepEqual([...all], tags);
  assert.deepEqual(all.meta, { pageCount: 1, recordCount: 3, currentPage: 1, recordsPerPage: 10 });

  const some = await cl.customers.tags(customer, {
    filters: { name_in: [tags[0].name, tags[2].name] },
    sort: { name: "desc" },
    fields: ["name"],
    pageNumber: 2,
    pageSize: 1,
  });
  assert.deepEqual([...some], [{ id: tags[0].id, type: "tags", name: tags[0].name }]);
  assert.deepEqual(some.meta, { pageCount: 2, recordCount: 2, currentPage: 2, recordsPerPage: 1 });
});

test("a group's customers are listed with all that a list of customers offers", async () => {
  const { group, tag, ada } = await threeCustomers();
  const second = await newCustomer({ email: newEmail("zoe"), customer_group: group });

  const all = await cl.customer_groups.customers(group.id);
  assert.deepEqual([...all], [ada, second]);

  const [some, requests] = await watched(() =>
    cl.customer_groups.customers(group, {
      filters: { email_cont_any: ["ada", "zoe"] },
      include: ["tags"],
      fields: { customers: ["email", "tags"], tags: ["name"] },
      sort: ["-email"],
      pageSize: 1,
      pageNumber: 2,
    }),
  );
  assert.deepEqual([...some], [
    {
      id: ada.id,
      type: "customers",
      email: ada.email,
      tags: [{ id: tag.id, type: "tags", name: tag.name }],
    },
  ]);
  assert.deepEqual(some.meta, { pageCount: 2, recordCount: 2, currentPage: 2, recordsPerPage: 1 });
  assert.ok(requests[0].startsWith(`GET ${API}/customer_groups/${group.id}/customers?`));
});

// Refusals

test("every invalid value is told at once, each with its place", async () => {
  const origin = unique("origin");
  const invalid = { email: "no address", password: "short", shopper_reference: "ab" };

  await assert.rejects(
    cl.customers.create({ ...invalid, reference_origin: origin }),
    (error) => {
      const { status, errors } = error;
      const found = errors.map(({ source, code, meta }) => [source.pointer, code, meta.error]);
      assert.equal(status, 422);
      assert.deepEqual(found.sort(), [
        ["/data/attributes/email", "VALIDATION_ERROR", "invalid"],
        ["/data/attributes/password", "VALIDATION_ERROR", "too_short"],
        ["/data/attributes/shopper_reference", "VALIDATION_ERROR", "too_short"],
      ]);
      return true;
    },
  );
  assert.equal(await cl.customers.count({ reference_origin_eq: origin }), 0);
});

test("an invalid value leaves a customer as it was", async () => {
  const customer = await newCustomer({ reference: "A-1" });

  await assert.rejects(
    cl.customers.update({ id: customer.id, reference: "B-2", shopper_reference: "ab" }),
    refused(
      422,
      invalid(
        "attributes/shopper_reference",
        "is too short (minimum is 3 characters)",
        "too_short",
      ),
    ),
  );
  assert.deepEqual(await cl.customers.retrieve(customer.id), customer);
});

test("a missing value is told as blank", async () => {
  const blank = refused(422, invalid("attributes/email", "can't be blank", "blank"));

  await assert.rejects(cl.customers.create({}), blank);
  await assert.rejects(cl.customers.create({ email: null }), blank);
});

test("an e-mail address that is taken is refused in any case", async () => {
  const { id, email } = await newCustomer();
  const other = await newCustomer();
  const taken = refused(422, invalid("attributes/email", "has already been taken", "taken"));

  await assert.rejects(newCustomer({ email }), taken);
  await assert.rejects(newCustomer({ email: email.toUpperCase() }), taken);
  await assert.rejects(cl.customers.update({ id: other.id, email }), taken);

  assert.equal(await cl.customers.count({ email_eq: email }), 1);
  assert.equal((await cl.customers.retrieve(other.id)).email, other.email);
  assert.equal((await cl.customers.update({ id, email })).email, email);
});

test("what the service does not know is refused by its name", async () => {
  const parameter = (name, code, title, detail) =>
    refused(400, { title, detail, code, source: { parameter: name }, status: "400" });
  const cases = [
    [
      { filters: { colour_eq: "red" } },
      "filter[q][colour_eq]",
      "FILTER_NOT_ALLOWED",
      "Filter not allowed",
      "colour is not an attribute of customers to filter by.",
    ],
    [
      { sort: ["-colour"] },
      "sort",
      "INVALID_SORT_CRITERIA",
      "Invalid sort criteria",
      "colour is not a valid sort criteria for customers.",
    ],
    [
      { include: ["colours"] },
      "include",
      "INVALID_INCLUDE",
      "Invalid include",
      "colours in colours is no relationship that can be included there.",
    ],
    [
      { fields: ["colour"] },
      "fields[customers]",
      "INVALID_FIELD",
      "Invalid field",
      "colour is not a field of customers.",
    ],
    [
      { pageSize: 26 },
      "page[size]",
      "INVALID_PAGE_VALUE",
      "Invalid page value",
      "size exceeds maximum page size of 25.",
    ],
  ];
  for (const [params, ...where] of cases) {
    await assert.rejects(cl.customers.list(params), parameter(...where));
  }

  const email = newEmail();
  await assert.rejects(
    cl.customers.create({ email, colour: "red" }),
    notAllowed("attributes/colour"),
  );
  assert.equal(await cl.customers.count({ email_eq: email }), 0);
});

test("a relationship to what is not there is refused", async () => {
  const email = newEmail();
  const customer_group = cl.customer_groups.relationship("unknown");

  await assert.rejects(
    cl.customers.create({ email, customer_group }),
    refused(404, {
      title: "Record not found",
      detail: "There are no customer_groups with this id.",
      code: "RECORD_NOT_FOUND",
      source: { pointer: "/data/relationships/customer_group/data" },
      status: "404",
    }),
  );
  assert.equal(await cl.customers.count({ email_eq: email }), 0);
});

// Tokens that are no good

test("a token that is none is refused", async () => {
  const opaque = clientWith({ accessToken: "opaque", organization: "clientele", domain: DOMAIN });

  await assert.rejects(opaque.customers.list(), invalidToken);
});

test("a token with another signature is refused, and the SDK does not refresh it", async () => {
  let refreshed = 0;
  const refreshToken = async () => {
    refreshed += 1;
    return accessToken;
  };
  const forger = clientWith({ accessToken: forged(accessToken), refreshToken });

  await assert.rejects(forger.customers.list(), invalidToken);
  assert.equal(refreshed, 0);
});

const expiring = { skip: !EXPIRED_TOKEN && "EXPIRED_TOKEN is not given" };

test("the SDK refreshes an expired token and repeats its request", expiring, async () => {
  const handed = [];
  const refreshToken = async (expired) => {
    handed.push(expired);
    return (await authenticate("client_credentials", credentials)).accessToken;
  };
  const late = clientWith({ accessToken: EXPIRED_TOKEN, refreshToken });
  const { id, email } = await newCustomer();
  const [customer, requests] = await watched(() => late.customers.retrieve(id));

  assert.equal(customer.email, email);
  assert.deepEqual(handed, [EXPIRED_TOKEN]);
  assert.deepEqual(requests, [
    `GET ${API}/customers/${id}`,
    `POST https://auth.${DOMAIN}/oauth/token`,
    `GET ${API}/customers/${id}`,
  ]);
  assert.notEqual(late.currentAccessToken, EXPIRED_TOKEN);
});

test("an expired token is refused where the SDK cannot refresh it", expiring, async () => {
  const late = clientWith({ accessToken: EXPIRED_TOKEN });

  await assert.rejects(jwtVerify(EXPIRED_TOKEN), TokenExpiredError);
  await assert.rejects(late.customers.list(), invalidToken);
});
