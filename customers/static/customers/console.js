"use strict";
// The console's keyboard and small comforts. Every page works without it.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

// The palette: Ctrl+K, or the button in the header
function startPalette() {
  const opener = one("[data-command-palette]");
  const dialog = one("#command-palette");
  if (!opener || !dialog) return;
  const input = one("input", dialog);
  const list = one("ul", dialog);
  let chosen = 0;
  let asked = 0;

  const choose = (index) => {
    const rows = all("li", list);
    if (!rows.length) return input.removeAttribute("aria-activedescendant");
    chosen = (index + rows.length) % rows.length;
    rows.forEach((row, at) => row.setAttribute("aria-selected", at === chosen));
    input.setAttribute("aria-activedescendant", rows[chosen].id);
    rows[chosen].scrollIntoView({ block: "nearest" });
  };

  const show = (entries) => {
    list.replaceChildren(
      ...entries.map((entry, at) => {
        const row = document.createElement("li");
        row.id = `command-palette-${at}`;
        row.setAttribute("role", "option");
        row.dataset.url = entry.url;
        const label = document.createElement("span");
        label.textContent = entry.label;
        const hint = document.createElement("small");
        hint.textContent = entry.hint;
        row.append(label, hint);
        return row;
      }),
    );
    if (!entries.length) {
      const none = document.createElement("p");
      none.textContent = "Nothing found.";
      list.append(none);
    }
    choose(0);
  };

  const ask = async () => {
    const mine = ++asked;
    const url = `${opener.dataset.commandPalette}?${new URLSearchParams({ q: input.value })}`;
    const response = await fetch(url);
    if (response.ok && !response.redirected && mine === asked) show((await response.json()).entries);
  };

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.value = "";
    ask();
  };

  const go = () => {
    const row = all("li", list)[chosen];
    if (row) location.assign(row.dataset.url);
  };

  opener.addEventListener("click", open);
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") go();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("li");
    if (row) location.assign(row.dataset.url);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
}

// "/" goes to the search field of the page, or opens the palette where there is none
function startSlash() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) return;
    const search = one("#searchbar");
    event.preventDefault();
    if (search) search.select();
    else one("[data-command-palette]")?.click();
  });
}

// Whether the text came into the clipboard; over plain http it takes a field of its own
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

// Buttons with data-copy copy its text, those with data-copy-from what the field with that id holds
function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copyFrom);
    const label = button.textContent;
    const copied = await copy(field ? field.value : button.dataset.copy);
    field?.select();
    button.textContent = copied ? "Copied" : field ? "Press Ctrl+C" : "Not copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
}

// Forms with data-swap replace the element with that id by the answer's
function startSwapping() {
  document.addEventListener("submit", async (event) => {
    const id = event.target.dataset.swap;
    if (!id) return;
    event.preventDefault();
    const body = new FormData(event.target, event.submitter);
    const response = await fetch(event.target.action, { method: "POST", body });
    if (response.status === 409) return event.target.submit(); // the page that says why
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(id);
    if (!fresh) return location.reload();
    document.getElementById(id).replaceWith(fresh);
    const told = one(".messagelist", page);
    one(".messagelist")?.remove();
    if (told) one("#content-start").prepend(told);
    one("[data-refocus]", fresh)?.focus();
  });
}

// Counts of segments come after the page
async function startCounts() {
  const bar = one("[data-counts]");
  if (!bar) return;
  const response = await fetch(bar.dataset.counts);
  if (!response.ok || response.redirected) return;
  const { counts } = await response.json();
  for (const [key, count] of Object.entries(counts)) {
    const place = one(`[data-count="${CSS.escape(key)}"]`);
    if (place) place.textContent = count;
  }
}

// Open menus close on Escape, which goes back to their button, and on a click outside
function startMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of all(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && !one("#command-palette")?.open && one(".menu[open]");
    if (!menu) return;
    menu.open = false;
    one("summary", menu).focus();
  });
}

// Metadata as rows of key and value, as long as all values are plain texts
function startMetadata(area) {
  let value;
  try {
    value = JSON.parse(area.value || "{}");
  } catch {
    return;
  }
  const flat = (found) =>
    found && typeof found === "object" && !Array.isArray(found) &&
    Object.values(found).every((inner) => typeof inner === "string");
  if (!flat(value)) return;
  const box = document.createElement("div");
  box.className = "pairs";
  const rows = document.createElement("div");

  const write = () => {
    const pairs = all(".pair", rows).map((row) => all("input", row).map((input) => input.value));
    area.value = JSON.stringify(Object.fromEntries(pairs.filter(([key]) => key)), null, 1);
  };
  const add = (key, text) => {
    const row = document.createElement("div");
    row.className = "pair";
    for (const [label, content] of [["Key", key], ["Value", text]]) {
      const input = document.createElement("input");
      input.type = "text";
      input.value = content;
      input.placeholder = label;
      input.setAttribute("aria-label", `${label} of metadata`);
      row.append(input);
    }
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "quiet-button";
    remove.textContent = "✕";
    remove.setAttribute("aria-label", `Remove ${key || "this pair"}`);
    remove.addEventListener("click", () => {
      row.remove();
      write();
    });
    row.append(remove);
    rows.append(row);
    return row;
  };
  Object.entries(value).forEach(([key, text]) => add(key, text));
  rows.addEventListener("input", write);

  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet-button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };
  const more = button("Add a pair", () => one("input", add("", "")).focus());
  const raw = button("Edit as JSON", () => {
    box.remove();
    area.hidden = false;
    area.focus();
  });
  const bar = document.createElement("p");
  bar.append(more, raw);
  box.append(rows, bar);
  area.hidden = true;
  area.after(box);
}

startPalette();
startSlash();
startCopying();
startSwapping();
startMenus();
startCounts();
all("textarea[data-pairs]").forEach(startMetadata);
