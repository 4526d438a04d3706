/**
 * js-auth and the SDK, unchanged, on access: guests, customers who log in, and passwords.
 *
 * OTHER_CHANNEL_ID is the client id of a second sales channel. EXPIRED_CUSTOMER_TOKEN, which may
 * be left out, is a customer's token of the first whose time is over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  authenticate,
  getTokenType,
  InvalidTokenError,
  jwtDecode,
  jwtIsSalesChannel,
  jwtVerify,
  makeSalesChannel,
  revoke,
} from "@commercelayer/js-auth";

import {
  accessToken,
  addressOf,
  API,
  channel,
  CHANNEL_ID,
  cl,
  clientWith,
  credentials,
  DOMAIN,
  forged,
  ID,
  INSTANT,
  invalid,
  invalidToken,
  newCustomer,
  newEmail,
  newGroup,
  newStorage,
  newTag,
  notAllowed,
  notFound,
  PASSWORD,
  refused,
  unauthorized,
  unique,
  watched,
} from "./service.mjs";

const { EXPIRED_CUSTOMER_TOKEN, OTHER_CHANNEL_ID } = process.env;
const NEW_PASSWORD = "a wholly new sentence";
const otherChannel = { ...channel, clientId: OTHER_CHANNEL_ID };

const logIn = (email, members) =>
  authenticate("password", { ...channel, username: email, password: PASSWORD, ...members });
const refresh = (refreshToken, members) =>
  authenticate("refresh_token", { ...channel, refreshToken, ...members });

const { accessToken: guestToken } = await authenticate("client_credentials", channel);
const guest = clientWith({ accessToken: guestToken });

/** A new customer who is logged in: the customer, its tokens, and the SDK with its token. */
async function newLogin() {
  const customer = await newCustomer({ password: PASSWORD });
  const tokens = await logIn(customer.email);
  return { customer, tokens, client: clientWith({ accessToken: tokens.accessToken }) };
}

const resets = cl.customer_password_resets;

/** Sets the password of the customer with this address, whatever it was. */
async function reset(email, customer_password) {
  const { id, reset_password_token } = await resets.create({ customer_email: email });
  await resets.update({ id, customer_password, _reset_password_token: reset_password_token });
}

const works = (token) => clientWith({ accessToken: token }).organization.retrieve();
const isDead = (token) => assert.rejects(works(token), invalidToken);

/** What is told in the two shapes that an error has: js-auth's and RFC 6749's. */
const denial = (status, code, title, detail) => ({
  errors: [{ title, detail, code, status, meta: {} }],
  error: title,
  errorDescription: detail,
});
const wrongPassword = denial(
  400,
  "BAD_REQUEST",
  "invalid_grant",
  "The e-mail address or the password is wrong.",
);
const sessionOver = denial(
  400,
  "BAD_REQUEST",
  "invalid_grant",
  "The refresh token is not valid, or has been used before.",
);

function assertLastsTwoHours({ createdAt, expires, expiresIn }) {
  assert.equal(expiresIn, 7200);
  assert.ok(Math.abs(createdAt * 1000 - Date.now()) < 60_000);
  assert.ok(Math.abs(expires - Date.now() - 7200 * 1000) < 60_000);
}

// Guests

test("js-auth gets a guest's token for the id of a sales channel alone", async () => {
  const scope = "market:id:AbCdEfGhIj";
  const [answer, requests] = await watched(() =>
    authenticate("client_credentials", { ...channel, scope }),
  );

  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/token`]);
  assert.deepEqual(answer, {
    accessToken: answer.accessToken,
    tokenType: "bearer",
    expiresIn: 7200,
    scope,
    createdAt: answer.createdAt,
    expires: answer.expires,
  });
  assertLastsTwoHours(answer);
  await works(answer.accessToken);
});

test("js-auth gets no guest's token with a secret, which no sales channel has", async () => {
  assert.deepEqual(
    await authenticate("client_credentials", { ...channel, clientSecret: "a guess" }),
    denial(401, "UNAUTHORIZED", "invalid_client", "The client is unknown or its secret is wrong."),
  );
});

test("js-auth decodes a guest's token", () => {
  const { header, payload } = jwtDecode(guestToken);

  assert.deepEqual(header, { alg: "RS512", typ: "JWT", kid: header.kid });
  assert.deepEqual(payload, {
    organization: { id: "clientele", slug: "clientele", enterprise: false, region: "self-hosted" },
    application: {
      id: payload.application.id,
      client_id: CHANNEL_ID,
      kind: "sales_channel",
      public: true,
      confidential: false,
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
  assert.ok(jwtIsSalesChannel(payload));
  assert.equal(getTokenType(payload), "sales_channel:guest");
});

// Logging in and staying logged in

test("js-auth logs a customer in by address in any case and password", async () => {
  const scope = "market:id:AbCdEfGhIj";
  const { id, email } = await newCustomer({ password: PASSWORD });
  const [answer, requests] = await watched(() => logIn(email.toUpperCase(), { scope }));

  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/token`]);
  assert.deepEqual(answer, {
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    tokenType: "bearer",
    expiresIn: 7200,
    scope,
    createdAt: answer.createdAt,
    expires: answer.expires,
    ownerId: id,
    ownerType: "customer",
  });
  assertLastsTwoHours(answer);
});

test("js-auth decodes a customer's token", async () => {
  const { customer, tokens } = await newLogin();
  const { payload } = jwtDecode(tokens.accessToken);
  const { payload: guests } = jwtDecode(guestToken);

  const { iat, jti, rand, sid } = payload;
  assert.deepEqual(payload, {
    ...guests,
    owner: { id: customer.id, type: "Customer" },
    iat,
    exp: iat + 7200,
    jti,
    rand,
    sid,
  });
  assert.match(sid, ID);
  assert.ok(jwtIsSalesChannel(payload));
  assert.equal(getTokenType(payload), "sales_channel:customer");
});

test("js-auth is told the same of a wrong password, an unknown address and a guest's", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const { email: withoutPassword } = await newCustomer();

  assert.deepEqual(await logIn(email, { password: `${PASSWORD} ` }), wrongPassword);
  assert.deepEqual(await logIn(newEmail()), wrongPassword);
  assert.deepEqual(await logIn(withoutPassword), wrongPassword);
});

test("js-auth logs nobody in through an integration", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const detail = "The client is not authorized to use 'grant_type=password'";

  assert.deepEqual(
    await logIn(email, credentials),
    denial(400, "BAD_REQUEST", "unauthorized_client", detail),
  );
});

test("js-auth gets new tokens for a refresh token", async () => {
  const { customer, tokens } = await newLogin();
  const [answer, requests] = await watched(() => refresh(tokens.refreshToken));

  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/token`]);
  assert.deepEqual(answer, {
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken,
    tokenType: "bearer",
    expiresIn: 7200,
    scope: "market:all",
    createdAt: answer.createdAt,
    expires: answer.expires,
    ownerId: customer.id,
    ownerType: "customer",
  });
  assertLastsTwoHours(answer);
  assert.notEqual(answer.accessToken, tokens.accessToken);
  assert.notEqual(answer.refreshToken, tokens.refreshToken);
  await works(tokens.accessToken);
  await works(answer.accessToken);
});

test("a refresh token that is used a second time ends its session and no other", async () => {
  const { customer, tokens: first } = await newLogin();
  const other = await logIn(customer.email);
  const second = await refresh(first.refreshToken);

  assert.deepEqual(await refresh(first.refreshToken), sessionOver);

  assert.deepEqual(await refresh(second.refreshToken), sessionOver);
  await isDead(first.accessToken);
  await isDead(second.accessToken);
  await works(other.accessToken);
  assert.equal((await refresh(other.refreshToken)).ownerId, customer.id);
});

test("a refresh token works through its own channel alone and opens nothing itself", async () => {
  const { customer, tokens } = await newLogin();

  assert.deepEqual(await refresh(tokens.refreshToken, otherChannel), sessionOver);
  assert.deepEqual(await refresh(tokens.accessToken), sessionOver);
  const bearer = { accessToken: tokens.refreshToken, organization: "clientele", domain: DOMAIN };
  await assert.rejects(clientWith(bearer).organization.retrieve(), invalidToken);

  assert.equal((await refresh(tokens.refreshToken)).ownerId, customer.id);
});

test("a refresh may ask for less than the session's scope and not for more", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const { refreshToken } = await logIn(email, { scope: "market:id:a store:id:b" });

  const wider = await refresh(refreshToken, { scope: "market:id:a market:id:c" });
  assert.deepEqual(
    wider,
    denial(400, "BAD_REQUEST", "invalid_scope", "The session has no such scope."),
  );

  const narrower = await refresh(refreshToken, { scope: "store:id:b" });
  assert.equal(narrower.scope, "store:id:b");
  assert.equal(jwtDecode(narrower.accessToken).payload.scope, "store:id:b");
});

// js-auth's sales channel, which keeps tokens

test("js-auth's sales channel goes from guest to customer and back", async () => {
  const { customer, tokens } = await newLogin();
  const { accessToken: token, refreshToken, scope } = tokens;
  const shop = makeSalesChannel(channel, { storage: newStorage() });

  const before = await shop.getAuthorization();
  await shop.setCustomer({ accessToken: token, refreshToken, scope });
  const [during, requests] = await watched(() => shop.getAuthorization());
  const loggedOut = await shop.logoutCustomer();
  const after = await shop.getAuthorization();

  assert.equal(before.ownerType, "guest");
  assert.deepEqual([during.ownerType, during.ownerId], ["customer", customer.id]);
  assert.equal(during.accessToken, token);
  assert.deepEqual(requests, []);
  assert.deepEqual(loggedOut, {});
  assert.equal(after.accessToken, before.accessToken);
  await isDead(token);
  await works(before.accessToken);
});

const expiring = { skip: !EXPIRED_CUSTOMER_TOKEN && "EXPIRED_CUSTOMER_TOKEN is not given" };

/** The owner of EXPIRED_CUSTOMER_TOKEN, and the tokens of its new login. */
async function lateCustomer() {
  const { owner } = jwtDecode(EXPIRED_CUSTOMER_TOKEN).payload;
  const customer = await cl.customers.retrieve(owner.id);
  await reset(customer.email, PASSWORD);
  return { customer, tokens: await logIn(customer.email) };
}

test("js-auth's sales channel refreshes a customer's expired token", expiring, async () => {
  const { customer, tokens } = await lateCustomer();
  const { refreshToken, scope } = tokens;
  const shop = makeSalesChannel(channel, { storage: newStorage() });
  await shop.setCustomer({ accessToken: EXPIRED_CUSTOMER_TOKEN, refreshToken, scope });

  const authorization = await shop.getAuthorization();

  assert.deepEqual([authorization.ownerType, authorization.ownerId], ["customer", customer.id]);
  assert.notEqual(authorization.refreshToken, refreshToken);
  await works(authorization.accessToken);
  assert.deepEqual(await refresh(refreshToken), sessionOver);
});

test("the SDK refreshes a customer's expired token and repeats its request", expiring, async () => {
  const { customer, tokens } = await lateCustomer();
  const handed = [];
  const refreshToken = async (expired) => {
    handed.push(expired);
    return (await refresh(tokens.refreshToken)).accessToken;
  };
  const late = clientWith({ accessToken: EXPIRED_CUSTOMER_TOKEN, refreshToken });
  const [found, requests] = await watched(() => late.customers.retrieve(customer.id));

  assert.equal(found.email, customer.email);
  assert.deepEqual(handed, [EXPIRED_CUSTOMER_TOKEN]);
  assert.deepEqual(requests, [
    `GET ${API}/customers/${customer.id}`,
    `POST https://auth.${DOMAIN}/oauth/token`,
    `GET ${API}/customers/${customer.id}`,
  ]);
  assert.equal(jwtDecode(late.currentAccessToken).payload.owner.id, customer.id);
});

test("the SDK is refused with a customer's expired token by itself", expiring, async () => {
  await isDead(EXPIRED_CUSTOMER_TOKEN);
});

// Revoking

test("js-auth revokes a customer's access token, and the session goes on", async () => {
  const { customer, tokens } = await newLogin();
  const token = tokens.accessToken;
  await works(token);

  const [answer, requests] = await watched(() => revoke({ clientId: CHANNEL_ID, token }));

  assert.deepEqual(answer, {});
  assert.deepEqual(requests, [`POST https://auth.${DOMAIN}/oauth/revoke`]);
  await isDead(token);
  const renewed = await refresh(tokens.refreshToken);
  assert.equal(renewed.ownerId, customer.id);
  await works(renewed.accessToken);
});

test("js-auth revokes a refresh token, and the whole session is dead", async () => {
  const { customer, tokens: first } = await newLogin();
  const other = await logIn(customer.email);
  const second = await refresh(first.refreshToken);

  const answer = await revoke({ clientId: CHANNEL_ID, token: second.refreshToken });

  assert.deepEqual(answer, {});
  await isDead(first.accessToken);
  await isDead(second.accessToken);
  assert.deepEqual(await refresh(second.refreshToken), sessionOver);
  await works(other.accessToken);
});

test("js-auth revokes a guest's token and no other guest's", async () => {
  const { accessToken: token } = await authenticate("client_credentials", channel);

  assert.deepEqual(await revoke({ clientId: CHANNEL_ID, token }), {});

  await isDead(token);
  await works(guestToken);
});

test("no other application revokes a token", async () => {
  const { tokens } = await newLogin();
  const { clientId, clientSecret } = credentials;
  const cases = [
    [{ clientId: OTHER_CHANNEL_ID }, tokens.accessToken],
    [{ clientId: OTHER_CHANNEL_ID }, tokens.refreshToken],
    [{ clientId: OTHER_CHANNEL_ID }, guestToken],
    [{ clientId, clientSecret }, tokens.accessToken],
    [{ clientId, clientSecret }, tokens.refreshToken],
    [{ clientId: CHANNEL_ID }, accessToken],
  ];

  for (const [who, token] of cases) {
    const { errors } = await revoke({ ...who, token });
    assert.deepEqual(errors, [
      {
        title: "unauthorized_client",
        detail: "You are not authorized to revoke this token.",
        code: "FORBIDDEN",
        status: 403,
        meta: {},
      },
    ]);
  }

  await works(accessToken);
  await works(guestToken);
  await works(tokens.accessToken);
  await works((await refresh(tokens.refreshToken)).accessToken);
});

// Verifying

test("js-auth verifies every kind of token against the published keys", async () => {
  const { tokens } = await newLogin();

  for (const token of [accessToken, guestToken, tokens.accessToken]) {
    assert.deepEqual(await jwtVerify(token), jwtDecode(token));
  }
});

test("a token with another signature is refused by js-auth and by the service", async () => {
  const { tokens } = await newLogin();

  for (const token of [accessToken, guestToken, tokens.accessToken]) {
    await assert.rejects(jwtVerify(forged(token)), InvalidTokenError);
    await isDead(forged(token));
  }
});

test("a customer's token that names another customer is refused", async () => {
  const { id } = await newCustomer({ password: PASSWORD });
  const { tokens } = await newLogin();
  const [header, , signature] = tokens.accessToken.split(".");
  const { payload } = jwtDecode(tokens.accessToken);
  const claims = JSON.stringify({ ...payload, owner: { id, type: "Customer" } });
  const changed = [header, Buffer.from(claims).toString("base64url"), signature].join(".");

  assert.equal(jwtDecode(changed).payload.owner.id, id);
  await assert.rejects(jwtVerify(changed), InvalidTokenError);
  await isDead(changed);
});

// Customers

test("a customer retrieves and lists itself", async () => {
  const { customer, client } = await newLogin();
  await newCustomer();

  assert.deepEqual(await client.customers.retrieve(customer.id), customer);
  assert.deepEqual([...(await client.customers.list())], [customer]);
  assert.equal(await client.customers.count(), 1);
});

test("a customer finds itself as the one whose token it is", async () => {
  const { customer, client } = await newLogin();
  const found = await client.customers.retrieve(customer.id, { include: ["jwt_customer"] });

  assert.deepEqual(found.jwt_customer, { id: customer.id, type: "customers" });
  assert.deepEqual(await client.customers.jwt_customer(customer.id), customer);
});

test("another customer is not there for a customer", async () => {
  const { client } = await newLogin();
  const other = await newCustomer({ password: PASSWORD });
  const filters = { email_eq: other.email };

  await assert.rejects(client.customers.retrieve(other.id), notFound);
  await assert.rejects(client.customers.update({ id: other.id, reference: "A-1" }), notFound);
  await assert.rejects(client.customers.delete(other.id), notFound);
  await assert.rejects(client.customers.orders(other.id), notFound);
  assert.equal(await client.customers.count(filters), 0);

  assert.deepEqual(await cl.customers.retrieve(other.id), other);
});

test("a customer lists its own orders alone", async () => {
  const { customer, client } = await newLogin();
  const other = await newCustomer({ password: PASSWORD });
  const own = await cl.orders.create({ customer });
  const others = await cl.orders.create({ customer: other });
  const filters = { id_in: [own.id, others.id] };
  assert.equal(await cl.orders.count(filters), 2);

  assert.deepEqual([...(await client.orders.list())], [own]);
  assert.deepEqual([...(await client.orders.list({ filters }))], [own]);
  assert.deepEqual([...(await client.customers.orders(customer.id))], [own]);
  const found = await client.customers.retrieve(customer.id, { include: ["orders"] });
  assert.deepEqual(found.orders, [own]);
  await assert.rejects(client.orders.retrieve(others.id), notFound);
});

test("a customer is refused what is not for customers", async () => {
  const { customer, client } = await newLogin();
  const { id, name } = await newGroup();

  await assert.rejects(client.customer_groups.list(), unauthorized);
  await assert.rejects(client.customer_groups.retrieve(id), unauthorized);
  await assert.rejects(client.customer_groups.update({ id, name: "Mine" }), unauthorized);
  await assert.rejects(client.tags.create({ name: unique("tag") }), unauthorized);
  await assert.rejects(client.customers.customer_group(customer.id), unauthorized);

  assert.equal((await cl.customer_groups.retrieve(id)).name, name);
});

test("a customer changes itself but not its standing", async () => {
  const { customer, client } = await newLogin();
  for (const [members, pointer] of [
    [{ tax_exemption_code: "7" }, "attributes/tax_exemption_code"],
    [{ customer_group: await newGroup() }, "relationships/customer_group"],
    [{ tags: [await newTag()] }, "relationships/tags"],
  ]) {
    await assert.rejects(
      client.customers.update({ id: customer.id, ...members }),
      notAllowed(pointer),
    );
  }
  const email = newEmail("new");
  const updated = await client.customers.update({
    id: customer.id,
    email,
    metadata: { size: "M" },
  });
  assert.deepEqual([updated.email, updated.metadata], [email, { size: "M" }]);
  assert.deepEqual(await cl.customers.retrieve(customer.id), updated);
});

test("a customer who gets another address is logged out", async () => {
  const { customer, tokens, client } = await newLogin();
  await client.customers.update({ id: customer.id, email: newEmail("new") });

  await isDead(tokens.accessToken);
  assert.deepEqual(await refresh(tokens.refreshToken), sessionOver);
  assert.deepEqual(await logIn(customer.email), wrongPassword);
});

test("what a customer makes is its own", async () => {
  const { customer, client } = await newLogin();
  const address = await client.addresses.create(addressOf);
  const entry = await client.customer_addresses.create({ address });
  const subscription = await client.customer_subscriptions.create({
    customer_email: customer.email,
    reference: "newsletter",
  });

  const found = await cl.customers.retrieve(customer.id, {
    include: ["customer_addresses.address", "customer_subscriptions"],
  });
  assert.deepEqual(found.customer_addresses, [{ ...entry, address }]);
  assert.deepEqual(found.customer_subscriptions, [subscription]);
});

test("a customer who deletes itself is logged out", async () => {
  const { customer, tokens, client } = await newLogin();

  await client.customers.delete(customer.id);

  await isDead(tokens.accessToken);
  assert.deepEqual(await refresh(tokens.refreshToken), sessionOver);
  assert.deepEqual(await logIn(customer.email), wrongPassword);
  await assert.rejects(cl.customers.retrieve(customer.id), notFound);
});

// What guests do

test("a guest signs up and logs in", async () => {
  const email = newEmail("ada");
  const customer = await guest.customers.create({ email, password: PASSWORD });

  assert.deepEqual([customer.email, customer.has_password], [email, true]);
  assert.deepEqual(await cl.customers.retrieve(customer.id), customer);
  await assert.rejects(guest.customers.retrieve(customer.id), unauthorized);
  const { accessToken: token, ownerId } = await logIn(email);
  assert.equal(ownerId, customer.id);
  const client = clientWith({ accessToken: token });
  assert.deepEqual(await client.customers.retrieve(customer.id), customer);
});

test("a guest does not sign up with what is not a customer's to say", async () => {
  const email = newEmail();

  for (const [members, pointer] of [
    [{ tax_exemption_code: "7" }, "attributes/tax_exemption_code"],
    [{ customer_group: await newGroup() }, "relationships/customer_group"],
  ]) {
    await assert.rejects(guest.customers.create({ email, ...members }), notAllowed(pointer));
  }
  const { email: taken } = await newCustomer();
  await assert.rejects(
    guest.customers.create({ email: taken, password: PASSWORD }),
    refused(422, invalid("attributes/email", "has already been taken", "taken")),
  );

  assert.equal(await cl.customers.count({ email_eq: email }), 0);
  assert.deepEqual(await logIn(taken), wrongPassword);
});

test("a guest subscribes an address", async () => {
  const customer_email = newEmail();
  const subscription = await guest.customer_subscriptions.create({
    customer_email,
    reference: "newsletter",
  });

  assert.equal(subscription.customer_email, customer_email);
  assert.deepEqual(await guest.customer_subscriptions.retrieve(subscription.id), subscription);
  const customer = await cl.customer_subscriptions.customer(subscription.id);
  assert.deepEqual([customer.email, customer.has_password], [customer_email, false]);
  await guest.customer_subscriptions.delete(subscription.id);
  await assert.rejects(cl.customer_subscriptions.retrieve(subscription.id), notFound);
});

test("a guest keeps an address by its id", async () => {
  const address = await guest.addresses.create(addressOf);
  assert.deepEqual(await guest.addresses.retrieve(address.id), address);

  const updated = await guest.addresses.update({ id: address.id, city: "Leeds" });
  assert.equal(updated.city, "Leeds");
  assert.deepEqual(await cl.addresses.retrieve(address.id), updated);

  await guest.addresses.delete(address.id);
  await assert.rejects(cl.addresses.retrieve(address.id), notFound);
});

test("an address in a customer's book is not there for a guest", async () => {
  const { client } = await newLogin();
  const address = await guest.addresses.create(addressOf);
  await client.customer_addresses.create({ address });

  await assert.rejects(guest.addresses.retrieve(address.id), notFound);
  await assert.rejects(guest.addresses.update({ id: address.id, city: "Leeds" }), notFound);
  await assert.rejects(guest.addresses.delete(address.id), notFound);

  assert.deepEqual(await client.addresses.retrieve(address.id), address);
});

test("a guest lists nothing", async () => {
  for (const type of ["customers", "addresses", "customer_subscriptions", "orders", "tags"]) {
    await assert.rejects(guest[type].list(), unauthorized, type);
  }
});

// Passwords

const notTheToken = refused(
  422,
  invalid("attributes/_reset_password_token", "is not the token of this reset", "invalid"),
);

test("a program begins a reset and is told its token once", async () => {
  const customer = await newCustomer({ password: PASSWORD });
  const { email } = customer;

  const made = await resets.create({ customer_email: email.toUpperCase() });

  const { id, created_at, updated_at, reset_password_token } = made;
  assert.deepEqual(made, {
    id,
    type: "customer_password_resets",
    customer_email: email,
    reset_password_token,
    reset_password_at: null,
    created_at,
    updated_at,
    reference: null,
    reference_origin: null,
    metadata: {},
  });
  assert.match(id, ID);
  assert.match(reset_password_token, /^[0-9A-Za-z]{20}$/);
  assert.deepEqual(await resets.retrieve(id), { ...made, reset_password_token: null });
  const [listed] = await resets.list({ filters: { id_eq: id } });
  assert.equal(listed.reset_password_token, null);
  assert.deepEqual(await resets.customer(id), customer);
});

test("a reset is begun for a customer alone", async () => {
  const customer_email = newEmail();

  await assert.rejects(
    resets.create({ customer_email }),
    refused(422, invalid("attributes/customer_email", "must exist", "blank")),
  );
  assert.equal(await resets.count({ customer_email_eq: customer_email }), 0);
});

test("a guest with the token of a reset chooses a new password once", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const begun = await resets.create({ customer_email: email });
  const { id, reset_password_token: _reset_password_token } = begun;

  const done = await guest.customer_password_resets.update({
    id,
    customer_password: NEW_PASSWORD,
    _reset_password_token,
  });

  const { reset_password_at, updated_at } = done;
  assert.deepEqual(done, { ...begun, reset_password_token: null, reset_password_at, updated_at });
  assert.match(reset_password_at, INSTANT);
  const again = { id, customer_password: "another sentence", _reset_password_token };
  await assert.rejects(guest.customer_password_resets.update(again), notFound);
  await assert.rejects(resets.update(again), notTheToken);
  assert.deepEqual(await logIn(email, { password: "another sentence" }), wrongPassword);
  assert.equal((await logIn(email, { password: NEW_PASSWORD })).ownerType, "customer");
});

test("a reset ends the old password, its sessions and every other reset", async () => {
  const { customer, tokens } = await newLogin();
  const other = await resets.create({ customer_email: customer.email });
  await works(tokens.accessToken);

  await reset(customer.email, NEW_PASSWORD);

  await isDead(tokens.accessToken);
  assert.deepEqual(await refresh(tokens.refreshToken), sessionOver);
  assert.deepEqual(await logIn(customer.email), wrongPassword);
  await assert.rejects(
    resets.update({
      id: other.id,
      customer_password: PASSWORD,
      _reset_password_token: other.reset_password_token,
    }),
    notTheToken,
  );
  const renewed = await logIn(customer.email, { password: NEW_PASSWORD });
  assert.equal(renewed.ownerId, customer.id);
});

test("the SDK's helper for the token of a reset is told that the password is missing", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const { id, reset_password_token } = await resets.create({ customer_email: email });

  await assert.rejects(
    resets._reset_password_token(id, reset_password_token),
    refused(422, invalid("attributes/customer_password", "can't be blank", "blank")),
  );

  assert.equal((await resets.retrieve(id)).reset_password_at, null);
  assert.equal((await logIn(email)).ownerType, "customer");
  const done = await resets.update({
    id,
    customer_password: NEW_PASSWORD,
    _reset_password_token: reset_password_token,
  });
  assert.match(done.reset_password_at, INSTANT);
});

test("a wrong token or a bad password uses nothing up", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const { id, reset_password_token } = await resets.create({ customer_email: email });
  const right = {
    id,
    customer_password: NEW_PASSWORD,
    _reset_password_token: reset_password_token,
  };

  const wrong = { ...right, _reset_password_token: "x".repeat(20) };
  await assert.rejects(resets.update(wrong), notTheToken);
  await assert.rejects(guest.customer_password_resets.update(wrong), notFound);
  const short = refused(
    422,
    invalid("attributes/customer_password", "is too short (minimum is 8 characters)", "too_short"),
  );
  for (const client of [cl, guest]) {
    const update = client.customer_password_resets.update({ ...right, customer_password: "short" });
    await assert.rejects(update, short);
  }

  assert.equal((await logIn(email)).ownerType, "customer");
  await guest.customer_password_resets.update(right);
  assert.equal((await logIn(email, { password: NEW_PASSWORD })).ownerType, "customer");
});

test("guests and customers begin and read no reset", async () => {
  const { customer, client } = await newLogin();
  const { id } = await resets.create({ customer_email: customer.email });

  for (const caller of [guest.customer_password_resets, client.customer_password_resets]) {
    await assert.rejects(caller.create({ customer_email: customer.email }), unauthorized);
    await assert.rejects(caller.retrieve(id), unauthorized);
    await assert.rejects(caller.list(), unauthorized);
    await assert.rejects(caller.delete(id), unauthorized);
  }
  assert.equal(await resets.count({ customer_id_eq: customer.id }), 1);
});

test("a reset that is deleted opens nothing", async () => {
  const { email } = await newCustomer({ password: PASSWORD });
  const { id, reset_password_token } = await resets.create({ customer_email: email });
  await resets.delete(id);
  const late = {
    id,
    customer_password: NEW_PASSWORD,
    _reset_password_token: reset_password_token,
  };

  await assert.rejects(guest.customer_password_resets.update(late), notFound);
  await assert.rejects(resets.update(late), notFound);

  assert.equal((await logIn(email)).ownerType, "customer");
});

test("a password that has been chosen is not overwritten", async () => {
  const { customer, client } = await newLogin();
  const chosen = refused(
    422,
    invalid(
      "attributes/password",
      "has been chosen; it is changed by a reset (customer_password_resets)",
      "taken",
    ),
  );

  for (const caller of [cl, client]) {
    const update = caller.customers.update({ id: customer.id, password: NEW_PASSWORD });
    await assert.rejects(update, chosen);
  }
  assert.deepEqual(await logIn(customer.email, { password: NEW_PASSWORD }), wrongPassword);
  assert.equal((await logIn(customer.email)).ownerId, customer.id);
});

test("a guest gets a first password from a program and from a reset", async () => {
  const [first, second] = [await newCustomer(), await newCustomer()];

  await cl.customers.update({ id: first.id, password: PASSWORD });
  await reset(second.email, PASSWORD);

  for (const { id, email } of [first, second]) {
    assert.equal((await cl.customers.retrieve(id)).has_password, true);
    assert.equal((await logIn(email)).ownerId, id);
  }
});
