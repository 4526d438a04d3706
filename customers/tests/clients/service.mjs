/**
 * The service at BASE_URL, and what the tests by the official clients need of it.
 *
 * CLIENT_ID and CLIENT_SECRET are an integration's credential in the mode "test", CHANNEL_ID is
 * the client id of a sales channel in the same mode. The service's organization and token issuer
 * are the defaults. What it already holds does not matter: every list is narrowed to the records
 * that its test has made.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { authenticate } from "@commercelayer/js-auth";
import { CommerceLayer } from "@commercelayer/sdk/bundle";

export const { BASE_URL, CHANNEL_ID, CLIENT_ID, CLIENT_SECRET } = process.env;
export const DOMAIN = "clientele.localhost";
export const API = `https://clientele.${DOMAIN}/api`;
export const ID = /^[0-9A-Za-z]{16}$/;
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

// Where the clients meant to go, and the one place that they are led to instead.

const asked = [];
const nativeFetch = globalThis.fetch;
export const toService = (url) => new URL(url.pathname + url.search, BASE_URL);

function fetchFromService(input, options = {}) {
  const url = new URL(input);
  asked.push(`${options.method ?? "GET"} ${decodeURIComponent(url.href)}`);
  return nativeFetch(toService(url), options);
}

globalThis.fetch = fetchFromService; // js-auth offers no hook

/** Runs `call`; returns its result and the requests that it meant to send. */
export async function watched(call) {
  const start = asked.length;
  const result = await call();
  return [result, asked.slice(start)];
}

// The clients

export const credentials = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, domain: DOMAIN };
export const { accessToken } = await authenticate("client_credentials", credentials);
assert.ok(accessToken, "CLIENT_ID and CLIENT_SECRET must be a credential of the service.");
export const clientWith = (options) => CommerceLayer({ fetch: fetchFromService, ...options });
export const cl = clientWith({ accessToken });
export const channel = { clientId: CHANNEL_ID, domain: DOMAIN };

// What most tests make and compare

const run = randomUUID().slice(0, 8);
let made = 0;
export const unique = (word) => `${word}-${run}-${++made}`;
export const PASSWORD = "correct horse battery";
export const newEmail = (name = "customer") => `${unique(name)}@example.com`;

export const addressOf = {
  first_name: "Ada",
  last_name: "Lovelace",
  line_1: "12 St James's Square",
  city: "London",
  zip_code: "SW1Y 4JH",
  country_code: "GB",
  phone: "+44 20 7946 0000",
};

export const newCustomer = (members, params) =>
  cl.customers.create({ email: newEmail(), ...members }, params);
export const newGroup = (members) => cl.customer_groups.create({ name: "Wholesale", ...members });
export const newTag = () => cl.tags.create({ name: unique("tag") });

export const forged = (token) => `${token.slice(0, -8)}AAAAAAAA`;

/** What js-auth is to be given to store tokens. */
export function newStorage() {
  const stored = new Map();
  return {
    getItem: async (key) => stored.get(key) ?? null,
    setItem: async (key, value) => void stored.set(key, value),
    removeItem: async (key) => void stored.delete(key),
  };
}

export const names = (list) => Array.from(list, ({ name }) => name);

// Refusals

/** For assert.rejects: an ApiError that tells `status` and exactly `errors`. */
export const refused =
  (status, ...errors) =>
  (error) => {
    assert.ok(cl.isApiError(error), error);
    const { name, type, code } = error;
    assert.deepEqual(
      { name, type, code, status: error.status, errors: error.errors },
      { name: "ApiError", type: "response", code: `${status}`, status, errors },
    );
    assert.equal(error.first(), error.errors[0]);
    return true;
  };

/** An error's object: `message` on the member of the body at `pointer`, below /data. */
export const invalid = (pointer, message, error) => ({
  title: message,
  detail: `${pointer.split("/").at(-1)} - ${message}`,
  code: "VALIDATION_ERROR",
  source: { pointer: `/data/${pointer}` },
  status: "422",
  meta: { error },
});
export const notFound = refused(404, {
  title: "Record not found",
  detail: "There is no such resource; check its id.",
  code: "RECORD_NOT_FOUND",
  status: "404",
});
export const invalidToken = refused(401, {
  title: "Invalid token",
  detail: "The access token you provided is invalid.",
  code: "INVALID_TOKEN",
  status: "401",
});
export const unauthorized = refused(401, {
  title: "Access denied",
  detail: "You may not perform this action on this resource.",
  code: "UNAUTHORIZED",
  status: "401",
});
export const locked = (reason) =>
  refused(423, {
    title: "Locked resource",
    detail: `It cannot be deleted: ${reason}.`,
    code: "LOCKED",
    status: "423",
  });
export const notAllowed = (pointer) =>
  refused(400, {
    title: "Param not allowed",
    detail: `${pointer.split("/").at(-1)} is not allowed.`,
    code: "PARAM_NOT_ALLOWED",
    source: { pointer: `/data/${pointer}` },
    status: "400",
  });
