// Sends the requests that the page describes. The token stays in this page's memory.
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

document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const operation of document.querySelectorAll(".operation")) {
    operation.hidden = !operation.textContent.toLowerCase().includes(wanted);
  }
  for (const section of document.querySelectorAll("main section")) {
    section.hidden = wanted && !section.querySelector(".operation:not([hidden])");
  }
});
