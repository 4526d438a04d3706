/** The SDK, unchanged, on every type that the service knows beside customers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { jwtDecode } from "@commercelayer/js-auth";

import {
  accessToken,
  addressOf,
  API,
  cl,
  CLIENT_ID,
  ID,
  INSTANT,
  invalid,
  locked,
  names,
  newCustomer,
  newEmail,
  newGroup,
  newTag,
  notAllowed,
  notFound,
  refused,
  unique,
  watched,
} from "./service.mjs";

const newAddress = (members) => cl.addresses.create({ ...addressOf, ...members });
const newEntry = async (members) =>
  cl.customer_addresses.create({
    customer: await newCustomer(),
    address: await newAddress(),
    ...members,
  });
const newPaymentSource = async (members) =>
  cl.customer_payment_sources.create({ customer: await newCustomer(), ...members });
const newSubscription = (members) =>
  cl.customer_subscriptions.create({
    customer_email: newEmail(),
    reference: "newsletter",
    ...members,
  });
const newOrder = async (members) => cl.orders.create({ customer: await newCustomer(), ...members });
const newOrderSubscription = async (members) =>
  cl.order_subscriptions.create({
    frequency: "monthly",
    source_order: await newOrder(),
    ...members,
  });
const newReturn = async (members) => cl.returns.create({ order: await newOrder(), ...members });
const newSkuList = (members) => cl.sku_lists.create({ name: "Wish list", ...members });
const newSkuListItem = async (members) =>
  cl.sku_list_items.create({ sku_code: "MUG-1", sku_list: await newSkuList(), ...members });
const newAttachment = async (members) =>
  cl.attachments.create({ name: "Contract", attachable: await newCustomer(), ...members });

const ids = (list) => Array.from(list, ({ id }) => id);

/** What every new resource has, of `row`. */
function common({ id, created_at, updated_at }) {
  assert.match(id, ID);
  assert.match(created_at, INSTANT);
  assert.match(updated_at, INSTANT);
  return { id, created_at, updated_at, reference: null, reference_origin: null, metadata: {} };
}

const blank = (pointer) => invalid(pointer, "can't be blank", "blank");
const forbidden = (trigger, message) =>
  refused(422, invalid(`attributes/${trigger}`, message, "forbidden"));

// Every type

const makers = {
  addresses: newAddress,
  attachments: newAttachment,
  customer_addresses: newEntry,
  customer_groups: newGroup,
  customer_payment_sources: newPaymentSource,
  customer_subscriptions: newSubscription,
  customers: newCustomer,
  order_subscriptions: newOrderSubscription,
  orders: newOrder,
  returns: newReturn,
  sku_list_items: newSkuListItem,
  sku_lists: newSkuList,
  tags: newTag,
};

for (const [type, make] of Object.entries(makers)) {
  test(`${type} are retrieved, listed and counted`, async () => {
    const [first, second] = [await make(), await make()];
    const filters = { id_in: ids([first, second]) };

    assert.equal(first.type, type);
    assert.deepEqual(await cl[type].retrieve(first.id), first);
    assert.deepEqual(await cl[type].retrieve(first, { fields: ["id"] }), { id: first.id, type });

    const list = await cl[type].list({ filters, sort: ["-id"] });
    assert.deepEqual([...list], [second, first]);
    assert.equal(list.recordCount, 2);
    assert.equal(await cl[type].count({ ...filters, id_gt: first.id }), 1);
  });

  test(`${type} keep the client's own reference and metadata`, async () => {
    const { updated_at, ...before } = await make();
    const own = {
      reference: unique("reference"),
      reference_origin: unique("origin"),
      metadata: { size: "M", list: [1, null] },
    };

    const updated = await cl[type].update({ id: before.id, ...own });

    const { updated_at: updatedAfter, ...after } = updated;
    assert.deepEqual(after, { ...before, ...own });
    assert.ok(updatedAfter > updated_at);
    for (const filters of [
      { reference_eq: own.reference },
      { reference_origin_in: [own.reference_origin] },
      { id_eq: before.id, metadata_jcont: { list: [1] } },
    ]) {
      assert.deepEqual([...(await cl[type].list({ filters }))], [updated]);
    }
  });

  test(`${type} refuse a member that is not theirs`, async () => {
    const before = await make();
    const update = cl[type].update({ id: before.id, reference: "A-1", colour: "red" });

    await assert.rejects(update, notAllowed("attributes/colour"));

    assert.deepEqual(await cl[type].retrieve(before.id), before);
  });

  test(`${type} are not found any more when they are deleted`, async () => {
    const { id } = await make();

    assert.equal(await cl[type].delete(id), undefined);

    await assert.rejects(cl[type].retrieve(id), notFound);
    await assert.rejects(cl[type].delete(id), notFound);
    assert.equal(await cl[type].count({ id_eq: id }), 0);
  });
}

// What hangs on the customer

/** A customer with one of everything. */
async function fullCustomer() {
  const customer = await newCustomer({ customer_group: await newGroup(), tags: [await newTag()] });
  const order = await newOrder({ customer });
  const rows = {
    customer_addresses: await newEntry({ customer }),
    customer_payment_sources: await newPaymentSource({ customer }),
    customer_subscriptions: await newSubscription({ customer_email: customer.email }),
    orders: order,
    order_subscriptions: await newOrderSubscription({ source_order: order }),
    returns: await newReturn({ order }),
    sku_lists: await newSkuList({ customer }),
    attachments: await newAttachment({ attachable: customer }),
  };
  return { customer, rows };
}

test("each relationship of a customer has a route of its own", async () => {
  const { customer, rows } = await fullCustomer();
  await fullCustomer();

  for (const [type, row] of Object.entries(rows)) {
    const [list, requests] = await watched(() => cl.customers[type](customer.id));
    assert.deepEqual([...list], [row], type);
    assert.deepEqual(list.meta, {
      pageCount: 1,
      recordCount: 1,
      currentPage: 1,
      recordsPerPage: 10,
    });
    assert.deepEqual(requests, [`GET ${API}/customers/${customer.id}/${type}`]);

    const options = { filters: { id_not_eq: row.id }, sort: { created_at: "desc" }, pageSize: 1 };
    assert.deepEqual([...(await cl.customers[type](customer, options))], [], type);
  }
});

test("a customer is retrieved with all that hangs on it", async () => {
  const { customer, rows } = await fullCustomer();

  const found = await cl.customers.retrieve(customer.id, { include: Object.keys(rows) });

  for (const [type, row] of Object.entries(rows)) {
    assert.deepEqual(found[type], [row], type);
  }
});

test("customers are found by what hangs on them", async () => {
  const { customer, rows } = await fullCustomer();
  const filterable = Object.keys(rows).filter((type) => type !== "orders");

  for (const type of filterable) {
    const filters = { [`${type}_id_eq`]: rows[type].id };
    assert.deepEqual(ids(await cl.customers.list({ filters })), [customer.id], type);
  }
});

test("a customer is kept for its orders, returns and order subscriptions", async () => {
  const { customer, rows } = await fullCustomer();

  await assert.rejects(cl.customers.delete(customer.id), (error) => {
    const [, kept] = error.first().detail.match(/^It cannot be deleted: it still has (.*)\.$/);
    assert.deepEqual(kept.split(" and ").sort(), ["1 order", "1 order subscription", "1 return"]);
    return locked(`it still has ${kept}`)(error);
  });
  assert.deepEqual(ids(await cl.customers.customer_addresses(customer.id)), [
    rows.customer_addresses.id,
  ]);

  await cl.returns.delete(rows.returns.id);
  await cl.order_subscriptions.delete(rows.order_subscriptions.id);
  await assert.rejects(cl.customers.delete(customer.id), locked("it still has 1 order"));

  await cl.orders.delete(rows.orders.id);
  await cl.customers.delete(customer.id);
  for (const type of [
    "customer_addresses",
    "customer_payment_sources",
    "customer_subscriptions",
    "sku_lists",
    "attachments",
  ]) {
    await assert.rejects(cl[type].retrieve(rows[type].id), notFound, type);
  }
});

test("the customer of the token is nobody when a program holds it", async () => {
  const { id } = await newCustomer();

  assert.equal(await cl.customers.jwt_customer(id), null);
  const customer = await cl.customers.retrieve(id, { include: ["jwt_customer"] });
  assert.equal(customer.jwt_customer, null);
  assert.equal(customer.jwt_custom_claim, null);
});

// Addresses

test("a person's address is told in parts and in one line", async () => {
  const address = await newAddress({
    line_2: "Flat 3",
    state_code: "LND",
    email: "ada@example.com",
    notes: "Ring twice.",
    lat: 51.5073,
    lng: -0.1347,
    billing_info: "GB 123",
  });

  assert.deepEqual(address, {
    type: "addresses",
    ...common(address),
    ...addressOf,
    business: false,
    company: null,
    line_2: "Flat 3",
    state_code: "LND",
    email: "ada@example.com",
    notes: "Ring twice.",
    lat: 51.5073,
    lng: -0.1347,
    billing_info: "GB 123",
    full_name: "Ada Lovelace",
    full_address:
      "12 St James's Square Flat 3, SW1Y 4JH London LND, GB (United Kingdom), +44 20 7946 0000",
    name:
      "Ada Lovelace, 12 St James's Square Flat 3, SW1Y 4JH London LND, GB (United Kingdom), " +
      "+44 20 7946 0000",
  });
});

test("a company's address has the company's name", async () => {
  const { first_name, last_name, ...place } = addressOf;
  const address = await cl.addresses.create({ ...place, business: true, company: "Engines Ltd" });

  assert.equal(address.full_name, "Engines Ltd");
  assert.deepEqual([address.first_name, address.last_name], [null, null]);

  const updated = await cl.addresses.update({ id: address.id, company: "Looms Ltd" });
  assert.equal(updated.full_name, "Looms Ltd");
});

test("an address needs what the mail and its country need", async () => {
  const city = unique("city");
  const cases = [
    [{ first_name: null, last_name: null }, ["first_name", "last_name"]],
    [{ business: true }, ["company"]],
    [{ zip_code: null }, ["zip_code"]],
    [{ phone: null }, ["phone"]],
  ];
  for (const [members, missing] of cases) {
    await assert.rejects(
      newAddress({ city, ...members }),
      refused(422, ...missing.map((name) => blank(`attributes/${name}`))),
    );
  }
  const wrong = [
    ["country_code", "xx", "is not a country code of two capital letters (ISO 3166-1)"],
    ["lat", 90.5, "must be between -90 and 90 degrees"],
    ["lng", -181, "must be between -180 and 180 degrees"],
  ];
  for (const [name, value, message] of wrong) {
    await assert.rejects(
      newAddress({ city, [name]: value }),
      refused(422, invalid(`attributes/${name}`, message, "invalid")),
    );
  }
  assert.equal(await cl.addresses.count({ city_eq: city }), 0);

  const harare = await newAddress({ city, country_code: "ZW", zip_code: null });
  assert.equal(harare.zip_code, null);
});

test("addresses are found by their parts and sorted by place", async () => {
  const billing_info = unique("billing");
  const london = await newAddress({ billing_info });
  const leeds = await newAddress({ billing_info, city: "Leeds", state_code: "YKS", lat: 53.8 });
  const paris = await newAddress({
    billing_info,
    city: "Paris",
    country_code: "FR",
    zip_code: "75001",
    business: true,
    company: "Halle",
  });
  const found = (params) =>
    cl.addresses
      .list({ ...params, filters: { billing_info_eq: billing_info, ...params.filters } })
      .then(ids);
  const cases = [
    [{ sort: ["country_code", "city"] }, [paris, leeds, london]],
    [{ sort: { state_code: "asc" } }, [leeds, london, paris]],
    [{ filters: { country_code_in: ["GB"] }, sort: ["-city"] }, [london, leeds]],
    [{ filters: { business_true: true } }, [paris]],
    [{ filters: { state_code_null: false } }, [leeds]],
    [{ filters: { lat_gteq: 53.8 } }, [leeds]],
    [{ filters: { company_or_city_i_cont: "LEE" } }, [leeds]],
  ];

  for (const [params, expected] of cases) {
    assert.deepEqual(await found(params), ids(expected), JSON.stringify(params));
  }
});

// Customer addresses

test("an entry of the address book joins a customer and an address", async () => {
  const [customer, address] = [await newCustomer(), await newAddress()];
  const entry = await cl.customer_addresses.create(
    { customer_email: customer.email, customer, address },
    { include: ["customer", "address"] },
  );

  assert.deepEqual(entry, {
    type: "customer_addresses",
    ...common(entry),
    name: address.name,
    customer_email: customer.email,
    customer,
    address,
  });
  assert.deepEqual(await cl.customer_addresses.customer(entry.id), customer);
  assert.deepEqual(await cl.customer_addresses.address(entry, { fields: ["city"] }), {
    id: address.id,
    type: "addresses",
    city: "London",
  });
  assert.deepEqual(names(await cl.customer_addresses.events(entry.id)), [
    "customer_addresses.create",
  ]);
});

test("the customer of an entry may be named by e-mail alone", async () => {
  const customer = await newCustomer();
  const { id } = await cl.customer_addresses.create({
    customer_email: customer.email.toUpperCase(),
    address: await newAddress(),
  });

  assert.deepEqual(await cl.customer_addresses.customer(id), customer);
});

test("an entry needs a customer who is there, and an address", async () => {
  const [customer, other] = [await newCustomer(), await newCustomer()];
  const address = await newAddress();
  const email = newEmail();
  const mustExist = (pointer) => refused(422, invalid(pointer, "must exist", "blank"));

  await assert.rejects(
    cl.customer_addresses.create({ customer_email: email, address }),
    mustExist("attributes/customer_email"),
  );
  await assert.rejects(
    cl.customer_addresses.create({ customer_email: other.email, customer, address }),
    refused(422, invalid("attributes/customer_email", "must be the customer's", "invalid")),
  );
  await assert.rejects(
    cl.customer_addresses.create({ address }),
    mustExist("relationships/customer"),
  );
  await assert.rejects(
    cl.customer_addresses.create({ customer }),
    mustExist("relationships/address"),
  );

  assert.equal(await cl.customers.count({ email_eq: email }), 0);
  assert.equal((await cl.customers.customer_addresses(customer.id)).recordCount, 0);
  assert.equal((await cl.customers.customer_addresses(other.id)).recordCount, 0);
});

test("an entry moves to another address and to another customer", async () => {
  const entry = await newEntry();
  const [customer, address] = [await newCustomer(), await newAddress({ city: "Leeds" })];

  const moved = await cl.customer_addresses.update({ id: entry.id, customer, address });

  assert.equal(moved.name, address.name);
  assert.equal(moved.customer_email, customer.email);
  assert.deepEqual(ids(await cl.customers.customer_addresses(customer.id)), [entry.id]);

  await assert.rejects(
    cl.customer_addresses.update({ id: entry.id, customer: cl.customers.relationship(null) }),
    refused(422, invalid("relationships/customer", "must exist", "blank")),
  );
  await assert.rejects(
    cl.customer_addresses.update({ id: entry.id, customer_email: newEmail() }),
    notAllowed("attributes/customer_email"),
  );
  assert.deepEqual(await cl.customer_addresses.customer(entry.id), customer);
});

test("entries are found by their address and their customer", async () => {
  const customer = await newCustomer();
  const london = await newEntry({ customer });
  const paris = await newEntry({
    customer,
    address: await newAddress({ city: "Paris", country_code: "FR", zip_code: "75001" }),
  });
  const own = { customer_email_eq: customer.email };

  const all = await cl.customer_addresses.list({ filters: own, include: ["address"] });
  assert.deepEqual(
    Array.from(all, ({ id, address }) => [id, address.city]),
    [
      [london.id, "London"],
      [paris.id, "Paris"],
    ],
  );
  const inParis = await cl.customers.customer_addresses(customer.id, {
    filters: { address_city_eq: "Paris" },
    sort: ["-created_at"],
  });
  assert.deepEqual([...inParis], [paris]);
  const inFrance = await cl.customer_addresses.list(
    { filters: own },
    { params: { "filter[country_code]": "FR" } },
  );
  assert.deepEqual([...inFrance], [paris]);
});

test("an entry goes with its address", async () => {
  const address = await newAddress();
  const entry = await newEntry({ address });

  await cl.addresses.delete(address.id);

  await assert.rejects(cl.customer_addresses.retrieve(entry.id), notFound);
});

// Customer payment sources

test("a payment source is known by its tokens and shows the end of one", async () => {
  const customer = await newCustomer();
  const source = await cl.customer_payment_sources.create(
    { customer, customer_token: "cus_81724", payment_source_token: "pm_7462104242" },
    { include: ["customer"] },
  );

  assert.deepEqual(source, {
    type: "customer_payment_sources",
    ...common(source),
    name: "•••• 4242",
    customer_token: "cus_81724",
    payment_source_token: "pm_7462104242",
    customer,
  });
  assert.deepEqual(await cl.customer_payment_sources.customer(source.id), customer);

  const updated = await cl.customer_payment_sources.update({
    id: source.id,
    payment_source_token: null,
  });
  assert.equal(updated.payment_source_token, null);
  assert.equal(updated.name, "•••• 1724");
});

test("a card's number is not kept", async () => {
  const customer = await newCustomer();
  const message = "looks like a card number; only a gateway's token may be kept";

  await assert.rejects(
    newPaymentSource({ customer, payment_source_token: "4242 4242 4242 4242" }),
    refused(422, invalid("attributes/payment_source_token", message, "card_number")),
  );
  assert.equal((await cl.customers.customer_payment_sources(customer.id)).recordCount, 0);
});

test("payment sources need a customer and are found by their token", async () => {
  const token = unique("pm");
  const [first, second] = [await newCustomer(), await newCustomer()];
  const source = await newPaymentSource({ customer: first, payment_source_token: token });
  const filters = { payment_source_token_eq: token, name_end: token.slice(-4) };

  const found = await cl.customer_payment_sources.list({ filters, include: ["customer"] });
  assert.deepEqual([...found], [{ ...source, customer: first }]);

  await cl.customer_payment_sources.update({ id: source.id, customer: second });
  const moved = await cl.customers.customer_payment_sources(second, {
    filters,
    include: ["customer"],
    sort: ["id"],
  });
  assert.deepEqual(
    Array.from(moved, ({ id, customer }) => [id, customer]),
    [[source.id, second]],
  );

  await assert.rejects(
    cl.customer_payment_sources.create({ payment_source_token: unique("pm") }),
    refused(422, invalid("relationships/customer", "must exist", "blank")),
  );
});

// Customer subscriptions

test("a subscription belongs to the customer with its e-mail address", async () => {
  const customer = await newCustomer();
  const subscription = await cl.customer_subscriptions.create(
    { customer_email: customer.email, reference: "newsletter" },
    { include: ["customer"] },
  );

  assert.deepEqual(subscription, {
    type: "customer_subscriptions",
    ...common(subscription),
    customer_email: customer.email,
    reference: "newsletter",
    customer,
  });
  assert.deepEqual(await cl.customer_subscriptions.customer(subscription.id), customer);
  assert.deepEqual(names(await cl.customer_subscriptions.events(subscription.id)), [
    "customer_subscriptions.create",
  ]);
});

test("a subscription of somebody unknown makes a guest", async () => {
  const email = newEmail();
  const { id } = await newSubscription({ customer_email: email });

  const guest = await cl.customer_subscriptions.customer(id);
  assert.deepEqual([guest.email, guest.has_password], [email, false]);
});

test("a customer subscribes to a topic once", async () => {
  const { email, id } = await newCustomer();
  const subscribe = (reference, customer_email = email) =>
    newSubscription({ customer_email, reference });
  const first = await subscribe("newsletter");
  const second = await subscribe("offers");
  const taken = refused(422, invalid("attributes/reference", "has already been taken", "taken"));

  await assert.rejects(subscribe("newsletter", email.toUpperCase()), taken);
  await assert.rejects(
    cl.customer_subscriptions.update({ id: second.id, reference: "newsletter" }),
    taken,
  );
  for (const reference of ["", null]) {
    await assert.rejects(subscribe(reference), refused(422, blank("attributes/reference")));
  }
  await assert.rejects(
    cl.customer_subscriptions.update({ id: second.id, customer_email: newEmail() }),
    notAllowed("attributes/customer_email"),
  );

  const all = await cl.customers.customer_subscriptions(id, { sort: ["-reference"] });
  assert.deepEqual([...all], [second, first]);
  const offers = await cl.customer_subscriptions.list({
    filters: { customer_id_eq: id, reference_eq: "offers" },
  });
  assert.deepEqual([...offers], [second]);
});

// Orders

const AMOUNTS = {
  subtotal_amount_cents: 123400,
  shipping_amount_cents: 700,
  discount_amount_cents: -100,
  total_tax_amount_cents: 24000,
  total_amount_cents: 124000,
  total_amount_with_taxes_cents: 148000,
};

test("an order tells its amounts as numbers and as people write them", async () => {
  const [customer, address] = [await newCustomer(), await newAddress()];
  const number = unique("order");
  const order = await cl.orders.create(
    {
      number,
      ...AMOUNTS,
      currency_code: "EUR",
      coupon_code: "SPRING",
      skus_count: 3,
      guest: true,
      customer,
      shipping_address: address,
      billing_address: address,
    },
    { include: ["customer", "shipping_address", "billing_address"] },
  );

  assert.deepEqual(order, {
    type: "orders",
    ...common(order),
    number,
    status: "draft",
    payment_status: "unpaid",
    fulfillment_status: "unfulfilled",
    guest: true,
    customer_email: customer.email,
    language_code: "en",
    currency_code: "EUR",
    coupon_code: "SPRING",
    ...AMOUNTS,
    formatted_total_amount: "€1,240.00",
    formatted_total_amount_with_taxes: "€1,480.00",
    skus_count: 3,
    placed_at: null,
    approved_at: null,
    cancelled_at: null,
    archived_at: null,
    customer,
    shipping_address: address,
    billing_address: address,
  });
  assert.deepEqual(await cl.orders.customer(order.id), customer);
  assert.deepEqual(await cl.orders.shipping_address(order.id), address);
  assert.deepEqual(await cl.orders.billing_address(order.id), address);
  assert.equal(await cl.orders.order_subscription(order.id), null);
});

test("an amount is written by its currency and language", async () => {
  const { id } = await newOrder({ total_amount_cents: 124000 });
  const cases = [
    [{ currency_code: "EUR", language_code: "it" }, "1.240,00\u00a0€"],
    [{ currency_code: "JPY", language_code: "en" }, "¥124,000"],
    [{ currency_code: "KWD", language_code: "it" }, "124,000\u00a0KWD"],
    [{ currency_code: null }, null],
  ];
  for (const [members, expected] of cases) {
    const { formatted_total_amount } = await cl.orders.update({ id, ...members });
    assert.equal(formatted_total_amount, expected);
  }

  await assert.rejects(
    cl.orders.update({ id, currency_code: "eur" }),
    refused(
      422,
      invalid(
        "attributes/currency_code",
        "is not a currency code of three capital letters (ISO 4217)",
        "invalid",
      ),
    ),
  );
  assert.equal((await cl.orders.retrieve(id)).currency_code, null);
});

test("an order is numbered by the service or by the client, each number once", async () => {
  const [first, second] = [await newOrder(), await newOrder({ number: unique("order") })];
  const taken = refused(422, invalid("attributes/number", "has already been taken", "taken"));

  assert.match(first.number, /^\d{16}$/);
  await assert.rejects(newOrder({ number: second.number }), taken);
  await assert.rejects(cl.orders.update({ id: first.id, number: second.number }), taken);
  assert.equal((await cl.orders.retrieve(first.id)).number, first.number);
});

test("an order by e-mail belongs to that customer, made as a guest if need be", async () => {
  const customer = await newCustomer();
  const email = newEmail();

  const known = await cl.orders.create({ customer_email: customer.email });
  const unknown = await cl.orders.create({ customer_email: email });
  const nobodys = await cl.orders.create({});

  assert.deepEqual(await cl.orders.customer(known.id), customer);
  assert.equal((await cl.orders.customer(unknown.id)).email, email);
  assert.equal(await cl.orders.customer(nobodys.id), null);
  assert.equal(nobodys.customer_email, null);

  const updated = await cl.orders.update({ id: nobodys.id, customer_email: email });
  assert.equal(updated.customer_email, email);
});

test("an order becomes pending, placed, approved and cancelled, and is archived", async () => {
  const { id } = await newOrder();
  const dates = ["placed_at", "approved_at", "cancelled_at", "archived_at"];
  const steps = [
    ["_pending", "pending", []],
    ["_place", "placed", ["placed_at"]],
    ["_approve", "approved", ["placed_at", "approved_at"]],
    ["_archive", "approved", ["placed_at", "approved_at", "archived_at"]],
    ["_cancel", "cancelled", dates],
    ["_unarchive", "cancelled", ["placed_at", "approved_at", "cancelled_at"]],
  ];

  for (const [trigger, status, dated] of steps) {
    const order = await cl.orders[trigger](id);
    assert.equal(order.status, status);
    assert.deepEqual(
      dates.filter((name) => order[name] !== null),
      dated,
      trigger,
    );
    dated.forEach((name) => assert.match(order[name], INSTANT));
    assert.deepEqual(await cl.orders.retrieve(id), order);
  }
  assert.deepEqual(names(await cl.orders.events(id)), [
    "orders.create",
    "orders.pending",
    "orders.place",
    "orders.approve",
    "orders.cancel",
  ]);
});

test("an order makes no step that its status does not allow", async () => {
  const cases = [
    [[], "_approve", "cannot follow the status draft"],
    [[], "_unarchive", "has nothing to undo: archived_at is not set"],
    [["_archive"], "_archive", "has been done: archived_at is set"],
    [["_pending"], "_pending", "cannot follow the status pending"],
    [["_place"], "_place", "cannot follow the status placed"],
    [["_place"], "_pending", "cannot follow the status placed"],
    [["_place", "_approve"], "_approve", "cannot follow the status approved"],
    [["_cancel"], "_place", "cannot follow the status cancelled"],
    [["_cancel"], "_cancel", "cannot follow the status cancelled"],
  ];
  for (const [steps, trigger, message] of cases) {
    const { id } = await newOrder();
    for (const step of steps) {
      await cl.orders[step](id);
    }
    const before = await cl.orders.retrieve(id);

    await assert.rejects(cl.orders[trigger](id), forbidden(trigger, message));

    assert.deepEqual(await cl.orders.retrieve(id), before);
  }
});

test("an order refuses a trigger of the order system and a status", async () => {
  const { id } = await newOrder();

  await assert.rejects(cl.orders._fulfill(id), notAllowed("attributes/_fulfill"));
  await assert.rejects(cl.orders.update({ id, status: "placed" }), notAllowed("attributes/status"));
  await assert.rejects(
    cl.orders.create({ _place: true, number: unique("order") }),
    notAllowed("attributes/_place"),
  );
  assert.equal((await cl.orders.retrieve(id)).status, "draft");
});

test("an order that was placed elsewhere keeps its date", async () => {
  const { id } = await newOrder();
  const placed_at = "2020-02-29T12:00:00.123Z";
  const wrong = (message) => refused(422, invalid("attributes/placed_at", message, "invalid"));

  await assert.rejects(cl.orders.update({ id, placed_at }), wrong("is set by _place alone"));
  await assert.rejects(
    cl.orders.update({ id, _place: true, placed_at: "2999-01-01T00:00:00.000Z" }),
    wrong("is not past"),
  );
  assert.equal((await cl.orders.retrieve(id)).status, "draft");

  const placed = await cl.orders.update({ id, _place: true, placed_at });
  assert.deepEqual([placed.status, placed.placed_at], ["placed", placed_at]);
});

test("a customer's standing follows its placed orders", async () => {
  const [customer, other] = [await newCustomer(), await newCustomer()];
  const standing = async ({ id }) => {
    const { status, total_orders_count } = await cl.customers.retrieve(id);
    return [status, total_orders_count];
  };
  const orders = [
    await newOrder({ customer }),
    await newOrder({ customer }),
    await newOrder({ customer }),
  ];
  await cl.orders._pending(orders[0].id);
  assert.deepEqual(await standing(customer), ["prospect", 0]);

  await cl.orders._place(orders[0].id);
  assert.deepEqual(await standing(customer), ["acquired", 1]);
  await cl.orders._place(orders[1].id);
  assert.deepEqual(await standing(customer), ["repeat", 2]);
  await cl.orders._place(orders[2].id);
  assert.deepEqual(await standing(customer), ["repeat", 3]);
  await cl.orders._cancel(orders[2].id);
  assert.deepEqual(await standing(customer), ["repeat", 3]);

  for (const { id } of orders.slice(1)) {
    await cl.orders.update({ id, customer: other });
  }
  assert.deepEqual(await standing(customer), ["acquired", 1]);
  assert.deepEqual(await standing(other), ["repeat", 2]);

  await cl.orders.update({ id: orders[1].id, customer });
  assert.deepEqual(await standing(customer), ["repeat", 2]);
  assert.deepEqual(await standing(other), ["acquired", 1]);
  for (const row of [customer, other]) {
    assert.deepEqual(names(await cl.customers.events(row.id)), [
      "customers.create",
      "customers.acquired",
      "customers.repeat",
    ]);
  }
  const repeating = await cl.customers.list({
    filters: { id_in: ids([customer, other]), status_eq: "repeat", total_orders_count_gt: 1 },
  });
  assert.deepEqual(ids(repeating), [customer.id]);
});

test("an order that has been placed is kept", async () => {
  const customer = await newCustomer();
  const { id } = await newOrder({ customer });
  await cl.orders._place(id);
  await cl.orders._cancel(id);

  await assert.rejects(cl.orders.delete(id), locked("an order that has been placed is kept"));

  assert.equal((await cl.orders.retrieve(id)).status, "cancelled");
  assert.equal((await cl.customers.retrieve(customer.id)).total_orders_count, 1);
});

test("an order keeps its addresses", async () => {
  const [shipping, billing] = [await newAddress(), await newAddress()];
  const { id } = await newOrder({ shipping_address: shipping, billing_address: billing });

  await assert.rejects(cl.addresses.delete(shipping.id), locked("it still has 1 order"));
  await assert.rejects(cl.addresses.delete(billing.id), locked("it still has 1 order"));
  assert.deepEqual(await cl.orders.shipping_address(id), shipping);

  await cl.orders.update({ id, shipping_address: null, billing_address: null });
  assert.equal(await cl.orders.shipping_address(id), null);
  await cl.addresses.delete(shipping.id);
});

test("orders are found by amount, date, status and customer, and sorted", async () => {
  const customer = await newCustomer();
  const place = { _place: true, placed_at: "2020-02-29T12:00:00.000Z" };
  const small = await newOrder({ customer, total_amount_cents: 500, currency_code: "EUR" });
  const large = await newOrder({ customer, total_amount_cents: 90000, currency_code: "USD" });
  const unpriced = await newOrder({ customer, shipping_address: await newAddress() });
  await cl.orders.update({ id: large.id, ...place });
  const cases = [
    [{}, [small, large, unpriced]],
    [{ sort: ["total_amount_cents"] }, [small, large, unpriced]],
    [{ sort: ["-total_amount_cents"] }, [unpriced, large, small]],
    [{ sort: { placed_at: "asc", created_at: "desc" } }, [large, unpriced, small]],
    [{ filters: { total_amount_cents_gteq: 501 } }, [large]],
    [{ filters: { total_amount_cents_null: true } }, [unpriced]],
    [{ filters: { currency_code_in: ["EUR", "USD"] } }, [small, large]],
    [{ filters: { placed_at_lt: "2020-03-01" } }, [large]],
    [{ filters: { status_not_in: "placed,approved" } }, [small, unpriced]],
    [{ filters: { shipping_address_city_eq: "London" } }, [unpriced]],
    [{ filters: { number_or_reference_eq: small.number } }, [small]],
  ];
  for (const [params, expected] of cases) {
    const filters = { customer_email_eq: customer.email, ...params.filters };
    const why = JSON.stringify(params);
    assert.deepEqual(ids(await cl.orders.list({ ...params, filters })), ids(expected), why);
    assert.deepEqual(ids(await cl.customers.orders(customer.id, params)), ids(expected), why);
  }

  const paged = await cl.customers.orders(customer.id, {
    sort: ["-total_amount_cents"],
    include: ["customer"],
    fields: { orders: ["total_amount_cents", "customer"], customers: ["email"] },
    pageNumber: 2,
    pageSize: 1,
  });
  assert.deepEqual(
    [...paged],
    [
      {
        id: large.id,
        type: "orders",
        total_amount_cents: 90000,
        customer: { id: customer.id, type: "customers", email: customer.email },
      },
    ],
  );
  assert.deepEqual(paged.meta, {
    pageCount: 3,
    recordCount: 3,
    currentPage: 2,
    recordsPerPage: 1,
  });
});

// Order subscriptions

test("an order subscription belongs to the customer of its source order", async () => {
  const customer = await newCustomer();
  const source_order = await newOrder({ customer });
  const starts_at = "2026-01-31T09:00:00.000Z";
  const expires_at = "2027-01-31T09:00:00.000Z";
  const subscription = await cl.order_subscriptions.create(
    { frequency: "two-month", starts_at, expires_at, source_order, options: { gift: true } },
    { include: ["source_order", "customer", "customer_payment_source", "orders"] },
  );

  assert.deepEqual(subscription, {
    type: "order_subscriptions",
    ...common(subscription),
    number: subscription.number,
    status: "draft",
    frequency: "two-month",
    activate_by_source_order: true,
    place_target_order: true,
    renewal_alert_period: 1,
    customer_email: customer.email,
    starts_at,
    expires_at,
    last_run_at: null,
    next_run_at: null,
    occurrencies: 0,
    errors_count: 0,
    succeeded_on_last_run: null,
    options: { gift: true },
    source_order,
    customer,
    customer_payment_source: null,
    orders: [],
  });
  assert.match(subscription.number, /^\d{16}$/);
  assert.deepEqual(await cl.order_subscriptions.source_order(subscription.id), source_order);
  assert.deepEqual(await cl.order_subscriptions.customer(subscription.id), customer);
  assert.deepEqual(ids(await cl.orders.order_subscriptions(source_order.id)), [subscription.id]);
});

test("an order subscription is activated, deactivated and cancelled", async () => {
  const { id } = await newOrderSubscription();
  const steps = [
    ["_activate", "active"],
    ["_deactivate", "inactive"],
    ["_activate", "active"],
    ["_cancel", "cancelled"],
  ];

  for (const [trigger, status] of steps) {
    assert.equal((await cl.order_subscriptions[trigger](id)).status, status);
  }
  assert.deepEqual(names(await cl.order_subscriptions.events(id)), [
    "order_subscriptions.create",
    "order_subscriptions.activate",
    "order_subscriptions.deactivate",
    "order_subscriptions.activate",
    "order_subscriptions.cancel",
  ]);

  for (const trigger of ["_activate", "_deactivate", "_cancel"]) {
    await assert.rejects(
      cl.order_subscriptions[trigger](id),
      forbidden(trigger, "cannot follow the status cancelled"),
    );
  }
  assert.equal((await cl.order_subscriptions.retrieve(id)).status, "cancelled");
});

test("an order subscription that is not active is not deactivated", async () => {
  const before = await newOrderSubscription();

  await assert.rejects(
    cl.order_subscriptions._deactivate(before.id),
    forbidden("_deactivate", "cannot follow the status draft"),
  );
  assert.deepEqual(await cl.order_subscriptions.retrieve(before.id), before);
});

test("an order subscription takes a payment source and its next run later on", async () => {
  const customer = await newCustomer();
  const customer_payment_source = await newPaymentSource({ customer });
  const source_order = await newOrder({ customer });

  await assert.rejects(
    newOrderSubscription({ source_order, customer_payment_source }),
    notAllowed("relationships/customer_payment_source"),
  );
  const { id } = await newOrderSubscription({ source_order });
  const next_run_at = "2027-02-28T09:00:00.000Z";
  const updated = await cl.order_subscriptions.update(
    { id, frequency: "0 9 * * 1", next_run_at, customer_payment_source },
    { include: ["customer_payment_source"] },
  );
  assert.deepEqual(
    [updated.frequency, updated.next_run_at, updated.customer_payment_source],
    ["0 9 * * 1", next_run_at, customer_payment_source],
  );
  assert.deepEqual(
    await cl.order_subscriptions.customer_payment_source(id),
    customer_payment_source,
  );

  await cl.customer_payment_sources.delete(customer_payment_source.id);
  assert.equal(await cl.order_subscriptions.customer_payment_source(id), null);
});

test("an order subscription has a known frequency, an order and an end after its start", async () => {
  const source_order = await newOrder();
  const message =
    "must be one of daily, four-month, hourly, monthly, six-month, three-month, two-month, " +
    "weekly, yearly, or a cron expression";

  await assert.rejects(
    newOrderSubscription({ source_order, frequency: "sometimes" }),
    refused(422, invalid("attributes/frequency", message, "invalid")),
  );
  await assert.rejects(
    cl.order_subscriptions.create({ frequency: "daily" }),
    refused(422, invalid("relationships/source_order", "must exist", "blank")),
  );
  await assert.rejects(
    newOrderSubscription({
      source_order,
      starts_at: "2026-02-01T00:00:00.000Z",
      expires_at: "2026-01-01T00:00:00.000Z",
    }),
    refused(422, {
      title: "must expire after it starts",
      detail: "Must expire after it starts",
      code: "VALIDATION_ERROR",
      source: { pointer: "/data" },
      status: "422",
      meta: { error: "invalid" },
    }),
  );
  assert.equal((await cl.orders.order_subscriptions(source_order.id)).recordCount, 0);
});

test("order subscriptions are found by status, frequency and customer", async () => {
  const customer = await newCustomer();
  const source_order = await newOrder({ customer });
  const weekly = await newOrderSubscription({ source_order, frequency: "weekly" });
  const daily = await newOrderSubscription({ source_order, frequency: "daily" });
  await cl.order_subscriptions._activate(weekly.id);
  const own = { customer_email_eq: customer.email.toUpperCase() };
  const cases = [
    [{ filters: {}, sort: ["frequency"] }, [daily, weekly]],
    [{ filters: {}, sort: ["status", "-number"] }, [weekly, daily]],
    [{ filters: { status_eq: "active" } }, [weekly]],
    [{ filters: { frequency_in: ["daily", "hourly"] } }, [daily]],
    [{ filters: { source_order_number_eq: source_order.number } }, [weekly, daily]],
    [{ filters: { succeeded_on_last_run_null: true, occurrencies_eq: 0 } }, [weekly, daily]],
  ];
  for (const [{ filters, sort }, expected] of cases) {
    const found = await cl.order_subscriptions.list({ sort, filters: { ...own, ...filters } });
    const why = JSON.stringify(filters);
    assert.deepEqual(ids(found), ids(expected), why);
    const nested = await cl.customers.order_subscriptions(customer.id, { sort, filters });
    assert.deepEqual(ids(nested), ids(expected), why);
  }
});

test("an order is kept for its subscriptions", async () => {
  const source_order = await newOrder();
  const subscription = await newOrderSubscription({ source_order });

  await assert.rejects(
    cl.orders.delete(source_order.id),
    locked("it still has 1 order subscription"),
  );
  assert.deepEqual(await cl.orders.retrieve(source_order.id), source_order);

  await cl.order_subscriptions.delete(subscription.id);
  await cl.orders.delete(source_order.id);
  await assert.rejects(cl.orders.retrieve(source_order.id), notFound);
});

// Returns

test("a return belongs to the customer of its order", async () => {
  const customer = await newCustomer();
  const order = await newOrder({ customer });
  const row = await cl.returns.create(
    { order },
    { include: ["order", "customer", "origin_address", "destination_address"] },
  );

  assert.deepEqual(row, {
    type: "returns",
    ...common(row),
    number: row.number,
    status: "draft",
    customer_email: customer.email,
    skus_count: null,
    approved_at: null,
    cancelled_at: null,
    shipped_at: null,
    rejected_at: null,
    received_at: null,
    refunded_at: null,
    archived_at: null,
    estimated_refund_amount_cents: null,
    formatted_estimated_refund_amount: null,
    order,
    customer,
    origin_address: null,
    destination_address: null,
  });
  assert.match(row.number, /^\d{16}$/);
  assert.deepEqual(await cl.returns.order(row.id), order);
  assert.deepEqual(await cl.returns.customer(row.id), customer);
  assert.equal(await cl.returns.origin_address(row.id), null);
  assert.equal(await cl.returns.destination_address(row.id), null);
  assert.deepEqual(ids(await cl.orders.returns(order.id)), [row.id]);

  await assert.rejects(
    cl.returns.create({}),
    refused(422, invalid("relationships/order", "must exist", "blank")),
  );
  await assert.rejects(
    cl.returns.update({ id: row.id, order: await newOrder() }),
    notAllowed("relationships/order"),
  );
  assert.deepEqual(await cl.returns.order(row.id), order);
});

test("a return is requested, approved, shipped, received, restocked and archived", async () => {
  const { id } = await newReturn();
  const dates = ["approved_at", "shipped_at", "received_at", "archived_at"];
  const steps = [
    ["_request", "requested", 0],
    ["_approve", "approved", 1],
    ["_ship", "shipped", 2],
    ["_receive", "received", 3],
    ["_restock", "received", 3],
    ["_archive", "received", 4],
    ["_unarchive", "received", 3],
  ];

  for (const [trigger, status, dated] of steps) {
    const row = await cl.returns[trigger](id);
    assert.equal(row.status, status);
    assert.deepEqual(
      dates.filter((name) => row[name] !== null),
      dates.slice(0, dated),
      trigger,
    );
    assert.deepEqual([row.cancelled_at, row.rejected_at, row.refunded_at], [null, null, null]);
  }
  assert.deepEqual(names(await cl.returns.events(id)), [
    "returns.create",
    "returns.request",
    "returns.approve",
    "returns.ship",
    "returns.receive",
    "returns.restock",
  ]);
});

test("a return is rejected or cancelled, and goes no further", async () => {
  const cases = [
    [["_request"], "_reject", "rejected", "rejected_at"],
    [["_request", "_approve", "_ship"], "_reject", "rejected", "rejected_at"],
    [[], "_cancel", "cancelled", "cancelled_at"],
    [["_request", "_approve"], "_cancel", "cancelled", "cancelled_at"],
  ];
  for (const [steps, trigger, status, date] of cases) {
    const { id } = await newReturn();
    for (const step of steps) {
      await cl.returns[step](id);
    }
    const ended = await cl.returns[trigger](id);
    assert.equal(ended.status, status);
    assert.match(ended[date], INSTANT);

    for (const next of ["_request", "_approve", "_ship", "_receive", "_restock", "_cancel"]) {
      await assert.rejects(
        cl.returns[next](id),
        forbidden(next, `cannot follow the status ${status}`),
      );
    }
    assert.deepEqual(await cl.returns.retrieve(id), ended);
  }
});

test("a return skips no step", async () => {
  const before = await newReturn();
  for (const trigger of ["_approve", "_ship", "_reject", "_receive", "_restock"]) {
    await assert.rejects(
      cl.returns[trigger](before.id),
      forbidden(trigger, "cannot follow the status draft"),
    );
  }
  await assert.rejects(
    cl.returns._unarchive(before.id),
    forbidden("_unarchive", "has nothing to undo: archived_at is not set"),
  );
  await assert.rejects(cl.returns._refund(before.id), notAllowed("attributes/_refund"));
  assert.deepEqual(await cl.returns.retrieve(before.id), before);
});

test("returns are found by status, number and order, and sorted", async () => {
  const customer = await newCustomer();
  const order = await newOrder({ customer });
  const [draft, requested] = [await newReturn({ order }), await newReturn({ order })];
  await cl.returns._request(requested.id);
  const cases = [
    [{ filters: { status_eq: "requested" } }, [requested]],
    [{ filters: { number_eq: draft.number } }, [draft]],
    [{ filters: { order_number_eq: order.number }, sort: ["-status"] }, [requested, draft]],
    [{ filters: { approved_at_null: true }, sort: { status: "asc" } }, [draft, requested]],
  ];
  for (const [{ filters, sort }, expected] of cases) {
    const own = { customer_id_eq: customer.id, ...filters };
    assert.deepEqual(ids(await cl.returns.list({ filters: own, sort })), ids(expected));
    const nested = await cl.customers.returns(customer.id, { filters, sort, include: ["order"] });
    assert.deepEqual(
      Array.from(nested, (row) => [row.id, row.order.number]),
      expected.map((row) => [row.id, order.number]),
    );
  }
});

test("an order is kept for its returns", async () => {
  const order = await newOrder();
  const row = await newReturn({ order });

  await assert.rejects(cl.orders.delete(order.id), locked("it still has 1 return"));

  await cl.returns.delete(row.id);
  await cl.orders.delete(order.id);
  await assert.rejects(cl.orders.retrieve(order.id), notFound);
});

// SKU lists and their items

test("a SKU list has a slug by its name, and may be a customer's", async () => {
  const customer = await newCustomer();
  const list = await cl.sku_lists.create(
    {
      name: "Ada's Wish List",
      description: "For the birthday",
      image_url: "https://example.com/list.png",
      customer,
    },
    { include: ["customer", "sku_list_items"] },
  );

  assert.deepEqual(list, {
    type: "sku_lists",
    ...common(list),
    name: "Ada's Wish List",
    slug: "adas-wish-list",
    description: "For the birthday",
    image_url: "https://example.com/list.png",
    manual: true,
    sku_code_regex: null,
    customer,
    sku_list_items: [],
  });
  assert.deepEqual(await cl.sku_lists.customer(list.id), customer);

  const updated = await cl.sku_lists.update({ id: list.id, name: "Mugs", customer: null });
  assert.equal(updated.slug, "mugs");
  assert.equal(await cl.sku_lists.customer(list.id), null);
});

test("a SKU list is made by hand or by an expression", async () => {
  const name = unique("list");

  await assert.rejects(
    newSkuList({ name, manual: false }),
    refused(422, blank("attributes/sku_code_regex")),
  );
  await assert.rejects(
    newSkuList({ name, image_url: "javascript:alert(1)" }),
    refused(
      422,
      invalid("attributes/image_url", "must be a web address (http or https)", "invalid"),
    ),
  );
  await assert.rejects(cl.sku_lists.create({}), refused(422, blank("attributes/name")));
  await assert.rejects(newSkuList({ name, slug: "mine" }), notAllowed("attributes/slug"));
  assert.equal(await cl.sku_lists.count({ name_eq: name }), 0);

  const list = await newSkuList({ name, manual: false, sku_code_regex: "^MUG" });
  assert.deepEqual([list.manual, list.sku_code_regex], [false, "^MUG"]);
});

test("a SKU list's items have a place and a quantity", async () => {
  const sku_list = await newSkuList();
  const item = await cl.sku_list_items.create(
    { sku_code: "MUG-1", position: 2, quantity: 3, sku_list },
    { include: ["sku_list"] },
  );

  assert.deepEqual(item, {
    type: "sku_list_items",
    ...common(item),
    sku_code: "MUG-1",
    position: 2,
    quantity: 3,
    sku_list,
  });
  assert.deepEqual(await cl.sku_list_items.sku_list(item.id), sku_list);

  const updated = await cl.sku_list_items.update({ id: item.id, position: 1, quantity: 4 });
  assert.deepEqual([updated.position, updated.quantity], [1, 4]);
});

test("an item has a code that stays, a list, and a quantity of one at least", async () => {
  const sku_list = await newSkuList();
  const { id, quantity } = await newSkuListItem({ sku_list });
  assert.equal(quantity, 1);

  await assert.rejects(
    newSkuListItem({ sku_list, quantity: 0 }),
    refused(
      422,
      invalid(
        "attributes/quantity",
        "must be greater than or equal to 1",
        "greater_than_or_equal_to",
      ),
    ),
  );
  await assert.rejects(
    cl.sku_list_items.create({ sku_list }),
    refused(422, blank("attributes/sku_code")),
  );
  await assert.rejects(
    cl.sku_list_items.create({ sku_code: "MUG-1" }),
    refused(422, invalid("relationships/sku_list", "must exist", "blank")),
  );
  await assert.rejects(
    cl.sku_list_items.update({ id, sku_code: "MUG-2" }),
    notAllowed("attributes/sku_code"),
  );
  const items = await cl.sku_lists.sku_list_items(sku_list.id);
  assert.deepEqual(
    Array.from(items, (item) => [item.id, item.sku_code]),
    [[id, "MUG-1"]],
  );
});

test("SKU lists and items are found and sorted, and the items go with the list", async () => {
  const customer = await newCustomer();
  const sku_list = await newSkuList({ name: "B list", customer });
  const other = await newSkuList({ name: "A list", customer, manual: false, sku_code_regex: "." });
  const second = await newSkuListItem({ sku_list, position: 2 });
  const first = await newSkuListItem({ sku_list, position: 1, sku_code: "CUP-1" });

  const lists = await cl.customers.sku_lists(customer.id, {
    sort: ["name"],
    include: ["sku_list_items"],
  });
  assert.deepEqual(
    Array.from(lists, ({ id, sku_list_items }) => [id, sku_list_items]),
    [
      [other.id, []],
      [sku_list.id, [second, first]],
    ],
  );
  const withMugs = await cl.sku_lists.list({
    filters: {
      customer_id_eq: customer.id,
      sku_list_items_sku_code_eq: "MUG-1",
      manual_true: true,
    },
  });
  assert.deepEqual([...withMugs], [sku_list]);
  const inOrder = await cl.sku_lists.sku_list_items(sku_list.id, { sort: { position: "asc" } });
  assert.deepEqual([...inOrder], [first, second]);
  const cups = await cl.sku_list_items.list({
    filters: { sku_list_id_eq: sku_list.id, sku_code_start: "CUP", position_lteq: 1 },
  });
  assert.deepEqual([...cups], [first]);

  await cl.sku_lists.delete(sku_list.id);
  await assert.rejects(cl.sku_list_items.retrieve(first.id), notFound);
});

// Attachments

const attachable = {
  customers: newCustomer,
  customer_groups: newGroup,
  orders: newOrder,
  returns: newReturn,
  sku_lists: newSkuList,
};

for (const [type, make] of Object.entries(attachable)) {
  test(`an attachment hangs on one of ${type} and goes with it`, async () => {
    const row = await make();
    const attachment = await cl.attachments.create(
      {
        name: "Contract",
        description: "Signed",
        url: "https://example.com/contract.pdf",
        attachable: row,
      },
      { include: ["attachable"] },
    );

    assert.deepEqual(attachment, {
      type: "attachments",
      ...common(attachment),
      name: "Contract",
      description: "Signed",
      url: "https://example.com/contract.pdf",
      attachable: row,
    });
    const nested = await cl[type].attachments(row.id, { include: ["attachable"], sort: ["name"] });
    assert.deepEqual([...nested], [attachment]);

    await cl[type].delete(row.id);
    await assert.rejects(cl.attachments.retrieve(attachment.id), notFound);
  });
}

test("one list holds attachments of several types, each with what it hangs on", async () => {
  const name = unique("contract");
  const rows = [];
  for (const make of Object.values(attachable)) {
    rows.push(await make());
  }
  for (const [index, row] of rows.entries()) {
    await newAttachment({ name: `${name}-${rows.length - index}`, attachable: row });
  }

  const found = await cl.attachments.list({
    filters: { name_start: name },
    sort: ["-name"],
    include: ["attachable"],
    fields: { attachments: ["attachable"] },
  });

  assert.deepEqual(
    Array.from(found, (attachment) => attachment.attachable),
    rows,
  );
});

test("an attachment moves to a resource of another type", async () => {
  const [customer, order] = [await newCustomer(), await newOrder()];
  const { id } = await newAttachment({ attachable: customer });

  await cl.attachments.update({ id, name: "Invoice", attachable: order });

  assert.deepEqual(ids(await cl.orders.attachments(order.id)), [id]);
  assert.deepEqual(ids(await cl.customers.attachments(customer.id)), []);
});

test("an attachment hangs on something, and not on anything", async () => {
  const customer = await newCustomer();
  const attachment = await newAttachment({ attachable: customer });
  const { id } = attachment;

  await assert.rejects(
    cl.attachments.create({ name: "Contract" }),
    refused(422, invalid("relationships/attachable", "must exist", "blank")),
  );
  await assert.rejects(
    cl.attachments.update({ id, attachable: await newTag() }),
    refused(400, {
      title: "Type mismatch",
      detail:
        "tags is not a type of this relationship; " +
        "customer_groups or customers or orders or returns or sku_lists is.",
      code: "TYPE_MISMATCH",
      source: { pointer: "/data/relationships/attachable/data/type" },
      status: "400",
    }),
  );
  await assert.rejects(
    cl.attachments.update({ id, url: "javascript:alert(1)" }),
    refused(422, invalid("attributes/url", "must be a web address (http or https)", "invalid")),
  );
  const kept = await cl.attachments.retrieve(id, { include: ["attachable"] });
  assert.deepEqual(kept, { ...attachment, attachable: customer });
});

// Tags

const taggable = {
  addresses: newAddress,
  customers: newCustomer,
  order_subscriptions: newOrderSubscription,
  orders: newOrder,
  returns: newReturn,
};

for (const [type, make] of Object.entries(taggable)) {
  test(`${type} carry tags`, async () => {
    const [first, second, third] = [await newTag(), await newTag(), await newTag()];
    const { id } = await make({ tags: [first] });
    const tagsNow = () => cl[type].tags(id).then((list) => [...list]);
    assert.deepEqual(await tagsNow(), [first]);

    const added = await cl[type]._add_tags(id, `${second.name},${third.name},${unique("none")}`, {
      include: ["tags"],
    });
    assert.deepEqual(added.tags, [first, second, third]);
    await cl[type]._remove_tags(id, first.name);
    assert.deepEqual(await tagsNow(), [second, third]);
    await cl[type].update({ id, tags: [first] });
    assert.deepEqual(await tagsNow(), [first]);
    const found = await cl[type].list({
      filters: { tags_name_eq: first.name },
      include: ["tags"],
      fields: ["tags"],
    });
    assert.deepEqual([...found], [{ id, type, tags: [first] }]);

    await cl[type].update({ id, tags: cl.tags.relationshipToMany() });
    assert.deepEqual(await tagsNow(), []);
    assert.equal(await cl[type].count({ tags_id_in: ids([first, second, third]) }), 0);
  });

  test(`${type} carry ten tags at most`, async () => {
    const tags = [];
    for (let count = 0; count < 11; count += 1) {
      tags.push(await newTag());
    }
    const { id } = await make({ tags: tags.slice(0, 10) });
    const tooMany = (pointer) =>
      refused(422, invalid(pointer, "may have 10 tags at most", "too_many"));

    await assert.rejects(cl[type].update({ id, tags }), tooMany("relationships/tags"));
    await assert.rejects(cl[type]._add_tags(id, tags[10].name), tooMany("attributes/_add_tags"));
    assert.deepEqual(ids(await cl[type].tags(id)), ids(tags.slice(0, 10)));
  });
}

test("what carries no tags refuses them", async () => {
  const tag = await newTag();
  const name = unique("group");

  await assert.rejects(newGroup({ name, tags: [tag] }), notAllowed("relationships/tags"));
  assert.equal(await cl.customer_groups.count({ name_eq: name }), 0);
});

test("a tag's name is short, plain, in lower case and taken once", async () => {
  const { name } = await newTag();
  const taken = refused(422, invalid("attributes/name", "has already been taken", "taken"));

  await assert.rejects(cl.tags.create({ name: name.toUpperCase() }), taken);
  await assert.rejects(
    cl.tags.create({ name: "a".repeat(26) }),
    refused(422, invalid("attributes/name", "is too long (maximum is 25 characters)", "too_long")),
  );
  await assert.rejects(
    cl.tags.create({ name: "no tag!" }),
    refused(
      422,
      invalid(
        "attributes/name",
        "may only have letters a to z, digits, and the signs _ : -",
        "invalid",
      ),
    ),
  );
  assert.equal((await cl.tags.create({ name: unique("VIP") })).name.slice(0, 4), "vip-");
});

// Events and the audit log

test("events tell what happened, and are listed and retrieved", async () => {
  const tag = await newTag();
  const customer = await newCustomer({ password: "correct horse battery" });
  await cl.customers._add_tags(customer.id, tag.name);
  await cl.customers.update({ id: customer.id, metadata: { size: "M" } });
  await cl.customers.update({ id: customer.id, reference: "A-1" });
  const happened = [
    "customers.create",
    "customers.create_password",
    "customers.tagged",
    "customers.metadata_update",
  ];

  const events = await cl.customers.events(customer.id);
  assert.deepEqual(names(events), happened);
  assert.deepEqual(events[0], {
    type: "events",
    ...common(events[0]),
    name: "customers.create",
  });
  assert.deepEqual(await cl.events.retrieve(events[0].id), events[0]);

  const filters = { id_in: ids(events), name_matches: "customers.create%" };
  const created = await cl.events.list({ filters, sort: ["-name"] });
  assert.deepEqual(names(created), ["customers.create_password", "customers.create"]);
  assert.equal(await cl.events.count(filters), 2);
  const including = await cl.customers.retrieve(customer.id, {
    include: ["events"],
    fields: { customers: ["events"], events: ["name"] },
  });
  assert.deepEqual(names(including.events), happened);
  assert.deepEqual(ids(await cl.customers.list({ filters: { events_id_eq: events[2].id } })), [
    customer.id,
  ]);
});

const logged = [
  "addresses",
  "attachments",
  "customer_addresses",
  "customer_groups",
  "customer_payment_sources",
  "customer_subscriptions",
  "customers",
  "order_subscriptions",
  "orders",
  "returns",
  "sku_lists",
  "tags",
];

for (const type of logged) {
  test(`the audit log tells who changed ${type}, from what to what`, async () => {
    const { id, reference } = await makers[type]();
    await cl[type].update({ id, reference: "A-1" });
    const { application } = jwtDecode(accessToken).payload;

    const [created, updated, ...others] = await cl[type].event_stores(id);

    assert.deepEqual(others, []);
    assert.deepEqual(updated, {
      type: "event_stores",
      ...common(updated),
      resource_type: type,
      resource_id: id,
      event: "update",
      payload: { reference: { from: reference, to: "A-1" } },
      who: {
        application: {
          id: application.id,
          client_id: CLIENT_ID,
          kind: "integration",
          public: false,
        },
        owner: null,
      },
    });
    assert.deepEqual(
      [created.event, created.resource_type, created.resource_id, created.who],
      ["create", type, id, updated.who],
    );
    assert.deepEqual(await cl.event_stores.retrieve(created.id), created);
  });
}

test("the audit log holds no secret", async () => {
  const customer = await newCustomer({ password: "correct horse battery" });
  const source = await newPaymentSource({ customer, payment_source_token: "pm_7462104242" });

  const [made] = await cl.customers.event_stores(customer.id);
  const [kept] = await cl.customer_payment_sources.event_stores(source.id);

  assert.deepEqual(Object.keys(made.payload).sort(), [
    "email",
    "metadata",
    "profile_id",
    "shopper_reference",
    "status",
    "total_orders_count",
  ]);
  assert.deepEqual(Object.keys(kept.payload).sort(), ["customer_id", "metadata", "name"]);
});

test("the audit log is read on from where it ended", async () => {
  const { id } = await newCustomer();
  for (const reference of ["A-1", "B-2"]) {
    await cl.customers.update({ id, reference });
  }
  const all = await cl.customers.event_stores(id);
  assert.deepEqual(
    Array.from(all, ({ event, payload }) => [event, payload.reference?.to]),
    [
      ["create", undefined],
      ["update", "A-1"],
      ["update", "B-2"],
    ],
  );

  const first = await cl.customers.event_stores(id, { pageSize: 2 });
  assert.deepEqual([...first], [...all].slice(0, 2));
  const rest = await cl.customers.event_stores(
    id,
    { pageSize: 2 },
    { params: { "page[after]": first[1].id } },
  );
  assert.deepEqual([...rest], [...all].slice(2));
});

// Webhooks, imports and exports

test("a webhook is made, changed by its triggers and deleted", async () => {
  const name = unique("webhook");
  const own = { name, topic: "customers.create", callback_url: "https://192.0.32.10/callbacks" };
  const webhook = await cl.webhooks.create({ ...own, include_resources: ["customer_group"] });

  assert.match(webhook.shared_secret, /^[0-9a-f]{32}$/);
  assert.deepEqual(webhook, {
    type: "webhooks",
    ...common(webhook),
    ...own,
    include_resources: ["customer_group"],
    disabled_at: null,
    circuit_state: "closed",
    circuit_failure_count: 0,
    shared_secret: webhook.shared_secret,
  });
  assert.deepEqual(await cl.webhooks.retrieve(webhook.id), webhook);
  assert.deepEqual(ids(await cl.webhooks.list({ filters: { name_eq: name } })), [webhook.id]);

  assert.match((await cl.webhooks._disable(webhook.id)).disabled_at, INSTANT);
  assert.equal((await cl.webhooks._enable(webhook.id)).disabled_at, null);
  assert.equal((await cl.webhooks._reset_circuit(webhook.id)).circuit_state, "closed");
  const update = cl.webhooks.update({ id: webhook.id, topic: "shoes.create" });
  await assert.rejects(update, refused(422, invalid("attributes/topic", "is not a topic", "inclusion")));
  assert.deepEqual([...(await cl.webhooks.last_event_callbacks(webhook.id))], []);
  await cl.webhooks.delete(webhook.id);
  await assert.rejects(cl.webhooks.retrieve(webhook.id), notFound);
});

test("an import waits for the worker, and is interrupted", async () => {
  const reference = unique("import");
  const made = await cl.imports.create({
    resource_type: "customers",
    inputs: [{ email: newEmail() }, { email: newEmail() }],
    reference,
  });

  assert.deepEqual(
    [made.type, made.status, made.format, made.inputs_size, made.processed_count],
    ["imports", "pending", "json", 2, 0],
  );
  const steady = ({ attachment_url, ...others }) => {
    assert.match(attachment_url, /\/api\/imports\/files\/[^/]+$/); // signed anew each time
    return others;
  };
  assert.deepEqual(steady(await cl.imports.retrieve(made.id)), steady(made));
  const [listed] = await cl.imports.list({ filters: { reference_eq: reference } });
  assert.deepEqual(steady(listed), steady(made));
  assert.deepEqual(names(await cl.imports.events(made.id)), ["imports.create"]);

  const interrupted = await cl.imports._interrupt(made.id);
  assert.equal(interrupted.status, "interrupted");
  assert.match(interrupted.interrupted_at, INSTANT);
  const again = cl.imports._interrupt(made.id);
  await assert.rejects(again, forbidden("_interrupt", "cannot follow the status interrupted"));
  await cl.imports.delete(made.id);
  await assert.rejects(cl.imports.retrieve(made.id), notFound);
});

test("an export waits for the worker, is interrupted and goes on", async () => {
  const { id } = await newCustomer();
  const choice = {
    includes: ["customer_group"],
    fields: ["customers.email", "customer_group.name"],
    filters: { id_eq: id },
    dry_data: true,
    jwt_filters: true,
  };
  const made = await cl.exports.create({ resource_type: "customers", format: "csv", ...choice });

  assert.deepEqual(
    [made.type, made.status, made.format, made.records_count, made.attachment_url],
    ["exports", "pending", "csv", 1, null],
  );
  assert.deepEqual(await cl.exports.retrieve(made.id), { ...made, ...choice });
  assert.deepEqual(ids(await cl.exports.list({ filters: { id_eq: made.id } })), [made.id]);

  assert.equal((await cl.exports._interrupt(made.id)).status, "interrupted");
  assert.equal((await cl.exports._start(made.id)).status, "pending");
  const none = cl.exports.create({ resource_type: "customers", filters: { id_eq: "none" } });
  await assert.rejects(none);
  await cl.exports.delete(made.id);
  await assert.rejects(cl.exports.retrieve(made.id), notFound);
});

// The organization and the application

test("the organization tells its name, its slug and its domain", async () => {
  const [organization, requests] = await watched(() => cl.organization.retrieve());

  assert.deepEqual(requests, [`GET ${API}/organization`]);
  assert.deepEqual(organization, {
    id: "clientele",
    type: "organizations",
    name: "Clientele",
    slug: "clientele",
    domain: "clientele.localhost",
    support_phone: null,
    support_email: null,
    logo_url: null,
    favicon_url: null,
    primary_color: null,
    config: {},
    created_at: null,
    updated_at: null,
    reference: null,
    reference_origin: null,
    metadata: {},
  });
  assert.deepEqual(await cl.organization.retrieve({ fields: ["slug"] }), {
    id: "clientele",
    type: "organizations",
    slug: "clientele",
  });
});

test("the application is the one that the token was given to", async () => {
  const [application, requests] = await watched(() => cl.application.retrieve());

  assert.deepEqual(requests, [`GET ${API}/application`]);
  assert.deepEqual(application, {
    type: "applications",
    ...common(application),
    id: jwtDecode(accessToken).payload.application.id,
    name: "Official clients",
    kind: "integration",
    public_access: false,
    redirect_uri: null,
    uid: CLIENT_ID,
    scopes: "market:all",
  });
});
