// Shows the requests that the page describes in three languages, with a sample of their answers,
// and sends them. The token stays in this page's memory.
"use strict";

let token = "";

const signIn = document.getElementById("sign-in");
signIn.addEventListener("submit", async (event) => {
  event.preventDefault();
  const members = { grant_type: "client_credentials", ...Object.fromEntries(new FormData(signIn)) };
  if (!members.client_secret) delete members.client_secret;
  const output = signIn.querySelector("output");
  const response = await fetch("/oauth/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(members),
  });
  const answer = await response.json();
  token = answer.access_token || "";
  output.textContent = token
    ? `A token for ${Math.round(answer.expires_in / 60)} minutes.`
    : `${response.status}: ${answer.error_description}`;
});

function addressOf(form) {
  let path = form.dataset.path;
  const query = [];
  for (const input of form.querySelectorAll("input[data-in]")) {
    const value = input.value.trim();
    if (!value) continue;
    if (input.dataset.in === "path") path = path.replace("{id}", encodeURIComponent(value));
    if (input.dataset.in !== "query") continue;
    if (input.hasAttribute("data-deep")) {
      const at = value.indexOf("=");
      query.push(`${input.name}[${value.slice(0, at)}]=${encodeURIComponent(value.slice(at + 1))}`);
    } else {
      query.push(`${input.name}=${encodeURIComponent(value)}`);
    }
  }
  return path + (query.length ? `?${query.join("&")}` : "");
}

function headersOf(form) {
  const headers = {};
  if (form.dataset.kind) headers["Content-Type"] = form.dataset.kind;
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const input of form.querySelectorAll("input[data-in=header]")) {
    if (input.value.trim()) headers[input.name] = input.value.trim();
  }
  return headers;
}

document.getElementById("main").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const shown = form.querySelector(".answer");
  const address = addressOf(form);
  const body = form.elements.body ? form.elements.body.value : undefined;
  shown.hidden = false;
  shown.textContent = "…";
  try {
    const options = { method: form.dataset.verb, headers: headersOf(form), body };
    const response = await fetch(address, options);
    const text = await response.text();
    const lines = [`${form.dataset.verb} ${address}`, `${response.status} ${response.statusText}`];
    for (const name of ["location", "etag", "retry-after", "x-request-id"]) {
      if (response.headers.get(name)) lines.push(`${name}: ${response.headers.get(name)}`);
    }
    lines.push("", text ? JSON.stringify(JSON.parse(text), null, 2) : "");
    shown.textContent = lines.join("\n");
  } catch (error) {
    shown.textContent = `The service does not answer (${error.message}).`;
  }
});

// The request as a program writes it, of what the form holds; the token is the reader's own.

const PLACEHOLDER = "YOUR_TOKEN";

function headersToShow(form) {
  const headers = { ...headersOf(form) };
  if (!form.dataset.path.startsWith("/oauth/")) headers.Authorization = `Bearer ${PLACEHOLDER}`;
  return Object.entries(headers);
}

const inShell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const indented = (text, by) => text.replaceAll("\n", `\n${by}`);

const LANGUAGES = {
  curl({ verb, url, headers, body }) {
    const lines = [`curl -g ${verb === "GET" ? "" : `-X ${verb} `}${inShell(url)}`];
    for (const [name, value] of headers) lines.push(`-H ${inShell(`${name}: ${value}`)}`);
    if (body) lines.push(`-d ${inShell(body)}`);
    return lines.join(" \\\n  ");
  },
  javascript({ verb, url, headers, body }) {
    const lines = [`  method: ${JSON.stringify(verb)},`, "  headers: {"];
    for (const pair of headers) lines.push(`    ${pair.map((one) => JSON.stringify(one)).join(": ")},`);
    lines.push("  },");
    if (body) lines.push(`  body: JSON.stringify(${indented(body, "  ")}),`);
    const read = verb === "DELETE" ? "response.status" : "await response.json()";
    return [`const response = await fetch(${JSON.stringify(url)}, {`, ...lines, "});", `console.log(${read});`].join("\n");
  },
  python({ verb, url, headers, body }) {
    const lines = ["import urllib.request", "", "request = urllib.request.Request("];
    lines.push(`    ${JSON.stringify(url)},`, `    method=${JSON.stringify(verb)},`, "    headers={");
    for (const pair of headers) lines.push(`        ${pair.map((one) => JSON.stringify(one)).join(": ")},`);
    lines.push("    },");
    if (body) lines.push(`    data=r"""${body}""".encode(),`);
    return [...lines, ")", "with urllib.request.urlopen(request) as response:", "    print(response.read().decode())"].join("\n");
  },
};

function showCode(form) {
  const shown = form.querySelector(".examples");
  if (!shown) return;
  const language = shown.querySelector("[aria-pressed=true]").dataset.language;
  shown.querySelector(".code").textContent = LANGUAGES[language]({
    verb: form.dataset.verb,
    url: location.origin + addressOf(form),
    headers: headersToShow(form),
    body: form.elements.body ? form.elements.body.value : "",
  });
}

function showExamples(form) {
  form.append(document.getElementById("examples").content.cloneNode(true));
  const sample = document.getElementById(`answer-${form.dataset.answer}`);
  const shown = form.querySelector(".sample");
  if (sample) shown.querySelector("pre").textContent = sample.content.textContent;
  else shown.remove();
  showCode(form);
}

const main = document.getElementById("main");
main.addEventListener("toggle", ({ target }) => {
  const form = target.matches(".operation[open]") && target.querySelector("form");
  if (form && !form.querySelector(".examples")) showExamples(form);
}, true);
main.addEventListener("input", ({ target }) => target.form && showCode(target.form));
main.addEventListener("click", ({ target }) => {
  if (!target.dataset.language) return;
  for (const one of target.parentElement.children) one.setAttribute("aria-pressed", one === target);
  showCode(target.closest("form"));
});

// Search: all words have to stand in an operation, or in what its type says of itself.

const plain = (text) => text.toLowerCase().replaceAll(/[_\-\s]+/g, " ");
let texts = null;

function readTexts() {
  const sections = [...document.querySelectorAll("main section")];
  return sections.map((section) => ({
    section,
    about: plain([...section.children].filter((one) => !one.matches(".operation")).map((one) => one.textContent).join(" ")),
    operations: [...section.querySelectorAll(".operation")].map((one) => ({ one, text: plain(one.textContent) })),
  }));
}

document.getElementById("find").addEventListener("input", (event) => {
  const words = plain(event.target.value).trim().split(" ").filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  let found = 0;
  texts = texts || readTexts();
  for (const { section, about, operations } of texts) {
    const whole = fits(about);
    for (const { one, text } of operations) {
      one.hidden = !whole && !fits(text);
      found += one.hidden ? 0 : 1;
    }
    section.hidden = !whole && operations.every(({ one }) => one.hidden);
  }
  document.getElementById("found").textContent = words.length ? `${found} operations` : "";
});
