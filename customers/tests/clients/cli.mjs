/**
 * The official CLI and its plugin for resources, unchanged, each command a process of its own.
 *
 * reroute.cjs leads them to the service. What they store is in a temporary directory, which is
 * gone at the end.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { stripVTControlCharacters } from "node:util";

import {
  accessToken,
  BASE_URL,
  CHANNEL_ID,
  cl,
  CLIENT_ID,
  CLIENT_SECRET,
  clientWith,
  DOMAIN,
  names,
  newCustomer,
  newEmail,
  newGroup,
  newTag,
  notFound,
  PASSWORD,
  unique,
} from "./service.mjs";

const require = createRequire(import.meta.url);
const folderOf = (name) => dirname(require.resolve(`${name}/package.json`));
const core = folderOf("@commercelayer/cli");
const plugin = folderOf("@commercelayer/cli-plugin-resources");

const home = await mkdtemp(join(tmpdir(), "cli-"));
after(() => rm(home, { recursive: true, force: true }));

const env = {
  PATH: process.env.PATH,
  HOME: home,
  BASE_URL,
  NODE_OPTIONS: `--require "${require.resolve("./reroute.cjs")}"`,
  NO_UPDATE_NOTIFIER: "1",
};

/** Runs `words` by the CLI in `folder`; resolves to the exit code and what was said. */
const runIn = (folder, ...words) =>
  new Promise((done) => {
    const file = join(folder, "bin", "run.js");
    const options = { env, timeout: 60_000 };
    execFile(process.execPath, [file, ...words], options, (error, stdout, stderr) =>
      done({
        code: error ? error.code : 0,
        lines: stripVTControlCharacters(stdout).split("\n").filter(Boolean),
        problem: unwrapped(stripVTControlCharacters(stderr)),
      }),
    );
  });

/** What was said in lines of one width, with a mark before each, as one line. */
const unwrapped = (text) => text.replace(/\s+(› +)?/g, " ");

const commercelayer = (...words) => runIn(core, ...words);

/** Runs `words`, which must succeed; returns the JSON that was said, and the lines after it. */
async function told(...words) {
  const { code, lines, problem } = await commercelayer(...words, "--json", "--unformatted");
  assert.equal(code, 0, problem);
  return [JSON.parse(lines[0]), ...lines.slice(1)];
}

const login = await commercelayer(
  "app:login",
  "--organization=clientele",
  `--domain=${DOMAIN}`,
  `--clientId=${CLIENT_ID}`,
  `--clientSecret=${CLIENT_SECRET}`,
  "--alias=local",
);
const link = await commercelayer("plugins:link", plugin, "--no-install");

// The CLI itself

test("the CLI logs in and knows its application and organization", async () => {
  assert.equal(login.code, 0, login.problem);
  assert.deepEqual(login.lines, [
    "Current application: Official clients (clientele) " +
      "[ Clientele | integration | test | local ] (Scope: market:all)",
    "Login successful! Your configuration has been stored locally. " +
      "You can now interact with Clientele organization",
  ]);
});

test("the CLI is told of a wrong secret and stays with its application", async () => {
  const { code, lines, problem } = await commercelayer(
    "app:login",
    "--organization=clientele",
    `--domain=${DOMAIN}`,
    `--clientId=${CLIENT_ID}`,
    "--clientSecret=wrong",
    "--alias=wrong",
  );

  assert.deepEqual([code, lines], [2, ["Login failed!"]]);
  assert.match(
    problem,
    /Unable to connect to organization clientele: Unable to get access token: The client is unknown or its secret is wrong\./,
  );
  const current = await commercelayer("app:current");
  assert.deepEqual(current.lines, login.lines.slice(0, 1));
});

test("the CLI gets a token that the SDK works with", async () => {
  const { code, lines } = await commercelayer("app:token");
  const { id } = await newCustomer();

  assert.equal(code, 0);
  assert.notEqual(lines[1], accessToken);
  assert.equal((await clientWith({ accessToken: lines[1] }).customers.retrieve(id)).id, id);
});

test("the CLI gets a new token when the stored one is over", async () => {
  const files = await readdir(home, { recursive: true });
  const file = join(
    home,
    files.find((name) => name.endsWith(".token.json")),
  );
  const stored = JSON.parse(await readFile(file, "utf8"));
  const over = { ...stored, accessToken: "over", expires: "2020-01-01T00:00:00.000Z" };
  const { email } = await newCustomer();

  await writeFile(file, JSON.stringify(over));
  const { code, lines, problem } = await commercelayer(
    "resources:list",
    "customers",
    `--where=email_eq=${email}`,
  );

  assert.equal(code, 0, problem);
  assert.match(problem, /Refreshing access token/);
  assert.equal(lines.at(-1), "Records: 1 of 1 | Page: 1 of 1");
  const renewed = JSON.parse(await readFile(file, "utf8")).accessToken;
  const customers = await clientWith({ accessToken: renewed }).customers.list({
    filters: { email_eq: email },
  });
  assert.equal(customers.recordCount, 1);
});

// The plugin

test("the CLI takes the plugin", async () => {
  const { lines } = await commercelayer("plugins");
  const { name, version } = require(join(plugin, "package.json"));

  assert.equal(link.code, 0, link.problem);
  assert.deepEqual(lines, [`${name} ${version} (link) ${plugin}`]);
});

test("the plugin lists a customer that the SDK created", async () => {
  const customer = await newCustomer();
  await newCustomer();

  const said = await told("resources:list", "customers", "-w", `email_eq=${customer.email}`);

  assert.deepEqual(said, [[customer], "Records: 1 of 1 | Page: 1 of 1"]);
});

test("the plugin filters, sorts, pages and includes", async () => {
  const [origin, group, tag] = [unique("origin"), await newGroup(), await newTag()];
  const members = { reference_origin: origin, customer_group: group };
  const emails = [];
  for (const name of ["mary", "rose", "zoe"]) {
    const { email } = await newCustomer({ ...members, email: newEmail(name), tags: [tag] });
    emails.push(email);
  }

  const [list, ...rest] = await told(
    "resources:list",
    "customers",
    `--where=reference_origin_eq=${origin}`,
    "--where=email_cont_any=mary-,zoe-",
    "--sort=email,desc",
    "--page=2",
    "--pageSize=1",
    "--include=customer_group,tags",
    "--fields=email,customer_group,tags",
    "--fields=tags/name",
  );

  const { id, ...found } = list[0];
  assert.deepEqual(
    [list.length, found],
    [
      1,
      {
        type: "customers",
        email: emails[0],
        customer_group: group,
        tags: [{ id: tag.id, type: "tags", name: tag.name }],
      },
    ],
  );
  assert.deepEqual(rest, ["Records: 1 of 2 | Page: 2 of 2"]);
});

test("the plugin creates a customer that the SDK finds", async () => {
  const [email, group, tag] = [newEmail("Ada+Lovelace"), await newGroup(), await newTag()];

  const [made, ...rest] = await told(
    "resources:create",
    "customers",
    `--attribute=email=${email}`,
    "--attribute=reference=A-1",
    "--metadata=size=M",
    `--relationship=customer_group=customer_groups/${group.id}`,
    `--tags=${tag.id}`,
  );

  const customer = await cl.customers.retrieve(made.id, { include: ["customer_group"] });
  assert.deepEqual(made, customer);
  const { reference, metadata, customer_group } = customer;
  assert.deepEqual(
    [customer.email, reference, metadata, customer_group],
    [email, "A-1", { size: "M" }, group],
  );
  assert.deepEqual(names(await cl.customers.tags(made.id)), [tag.name]);
  assert.deepEqual(rest, [
    `Successfully created new resource of type customers with id ${made.id}`,
  ]);
});

test("the plugin retrieves, updates and deletes a customer", async () => {
  const { id, email } = await newCustomer({ reference: "A-1" });

  const [retrieved] = await told("resources:retrieve", `customers/${id}`, "-f", "email,reference");
  assert.deepEqual(retrieved, { id, type: "customers", email, reference: "A-1" });

  const [updated] = await told("resources:update", "customers", id, "-a", "reference=B-2");
  assert.equal(updated.reference, "B-2");
  assert.equal((await cl.customers.retrieve(id)).reference, "B-2");

  const { code } = await commercelayer("resources:delete", `customers/${id}`);
  assert.equal(code, 0);
  await assert.rejects(cl.customers.retrieve(id), notFound);
});

test("the plugin tells why a customer is refused", async () => {
  const { email } = await newCustomer();

  const { code, lines, problem } = await commercelayer(
    "resources:create",
    "customers",
    `--attribute=email=${email}`,
  );

  assert.deepEqual([code, lines], [2, []]);
  assert.match(problem, /detail: 'email - has already been taken'/);
  assert.equal(await cl.customers.count({ email_eq: email }), 1);
});

test("the plugin places an order and follows a customer to it", async () => {
  const customer = await newCustomer();

  const [order] = await told(
    "resources:create",
    "orders",
    "--json-object=total_amount_cents=1250",
    "--attribute=currency_code=EUR",
    `--relationship=customer=customers/${customer.id}`,
  );
  const [placed] = await told("resources:update", `orders/${order.id}`, "-J", "_place=true");
  assert.deepEqual([placed.status, placed.formatted_total_amount], ["placed", "€12.50"]);

  const [orders] = await told("resources:fetch", `customers/${customer.id}/orders`);
  assert.deepEqual(orders, [placed]);
  assert.equal((await cl.customers.retrieve(customer.id)).status, "acquired");

  const { code, problem } = await commercelayer("resources:delete", `orders/${order.id}`);
  assert.equal(code, 2);
  assert.match(problem, /an order that has been placed is kept/);
});

test("the plugin fetches every page and counts", async () => {
  const group = await newGroup();
  const made = [];
  while (made.length < 26) {
    made.push((await newCustomer({ customer_group: group })).id);
  }
  const file = join(home, "customers.json");
  const where = `--where=customer_group_id_eq=${group.id}`;
  const save = [`--save=${file}`, "--json", "--blind"];

  const { code, problem } = await commercelayer("resources:all", "customers", where, ...save);
  assert.equal(code, 0, problem);
  const saved = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual(
    saved.map(({ id }) => id),
    made,
  );

  const count = await commercelayer("resources:count", "customers", where);
  assert.equal(count.code, 0, count.problem);
  assert.match(count.problem, /Counting customers\.\.\. 26 /);
});

test("the plugin retrieves the organization and the application", async () => {
  for (const [resource, sdk] of [
    ["organization", cl.organization],
    ["application", cl.application],
  ]) {
    const [found] = await told("resources:retrieve", resource);
    assert.deepEqual(found, await sdk.retrieve());
  }
});

test("the plugin works without the CLI, by a token", async () => {
  const customer = await newCustomer();
  const words = [
    "resources:list",
    "customers",
    "--organization=clientele",
    `--domain=${DOMAIN}`,
    `--where=email_eq=${customer.email}`,
    "--json",
    "--unformatted",
  ];

  const { code, lines, problem } = await runIn(plugin, ...words, `--accessToken=${accessToken}`);
  assert.equal(code, 0, problem);
  assert.deepEqual(JSON.parse(lines[0]), [customer]);

  const refused = await runIn(plugin, ...words, "--accessToken=opaque");
  assert.deepEqual([refused.code, refused.lines], [2, []]);
  assert.match(refused.problem, /"code":"INVALID_TOKEN"/);
});

// Customers

const logInAs = (email, password, alias) =>
  commercelayer(
    "app:login",
    "--organization=clientele",
    `--domain=${DOMAIN}`,
    `--clientId=${CHANNEL_ID}`,
    "--scope=market:all",
    `--email=${email}`,
    `--password=${password}`,
    `--alias=${alias}`,
  );

test("the CLI logs a customer in, who sees what is its own alone", async (context) => {
  const customer = await newCustomer({ password: PASSWORD });
  const order = await cl.orders.create({ customer });
  await cl.orders.create({ customer: await newCustomer() });
  context.after(() => commercelayer("app:switch", "--alias=local"));

  const { code, lines, problem } = await logInAs(customer.email, PASSWORD, "customer");

  assert.equal(code, 0, problem);
  assert.equal(
    lines[0],
    "Current application: Official shop (clientele) " +
      "[ Clientele | sales_channel | test | customer ] (Scope: market:all)",
  );
  const one = "Records: 1 of 1 | Page: 1 of 1";
  assert.deepEqual(await told("resources:list", "customers"), [[customer], one]);
  assert.deepEqual(await told("resources:list", "orders"), [[order], one]);
  const refused = await commercelayer("resources:list", "customer_groups");
  assert.deepEqual([refused.code, refused.lines], [2, []]);
  assert.match(refused.problem, /code: 'UNAUTHORIZED'/);
});

test("the CLI is told of a wrong password and stays with its application", async () => {
  const { email } = await newCustomer({ password: PASSWORD });

  const { code, lines, problem } = await logInAs(email, "a guess", "nobody");

  assert.deepEqual([code, lines], [2, ["Login failed!"]]);
  assert.match(problem, /access token: The e-mail address or the password is wrong\./);
  const current = await commercelayer("app:current");
  assert.deepEqual(current.lines, login.lines.slice(0, 1));
});
