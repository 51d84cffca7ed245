// What htmx does not do: the menu, the dialog, times that stay true, and swaps that disturb nobody.
"use strict";

const byId = (id) => document.getElementById(id);
const live = () => byId("live");

/* Times. The server's clock counts: `data-now` is what it said when the page was made. */

const skew = (() => {
  const now = document.documentElement.dataset.now;
  return now ? Date.parse(now) - Date.now() : 0;
})();
const secondsSince = (iso) => (Date.now() + skew - Date.parse(iso)) / 1000;

function relative(seconds, iso) {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 2592000) return `${Math.floor(seconds / 86400)} d ago`;
  return iso.slice(0, 10);
}

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tellTimes() {
  for (const each of document.querySelectorAll("[data-at]")) {
    say(each, relative(secondsSince(each.dataset.at), each.dataset.at));
  }
  for (const each of document.querySelectorAll("[data-since]")) {
    say(each, duration(secondsSince(each.dataset.since)));
  }
}
setInterval(tellTimes, 1000);

/* The ⋮ menu: one host in the top layer, so that polling the panel never closes it. */

let opener = ""; // the id of the button, which polling may replace by its successor

const menu = () => byId("menu");
const isMenuOpen = () => menu().matches(":popover-open");
const items = () => [...menu().querySelectorAll("[role=menuitem]")];

async function openMenu(button, last) {
  closeMenu(false);
  opener = button.id;
  button.setAttribute("aria-expanded", "true");
  menu().innerHTML = '<p class="menu__wait" role="none">Asking what may be done…</p>';
  menu().showPopover();
  place(button);
  try {
    await htmx.ajax("GET", button.getAttribute("href"), { target: "#menu", swap: "innerHTML" });
  } catch {
    // Told by the notice that Lastgood does not answer.
  }
  if (!isMenuOpen() || opener !== button.id) return;
  if (!items().length) return closeMenu(true);
  place(byId(opener) || button);
  items().at(last ? -1 : 0).focus();
}

function place(button) {
  const box = button.getBoundingClientRect();
  const host = menu();
  const left = Math.min(box.right - host.offsetWidth, innerWidth - host.offsetWidth - 8);
  const below = box.bottom + 4;
  const fits = below + host.offsetHeight <= innerHeight - 8;
  host.style.left = `${Math.max(8, left)}px`;
  host.style.top = `${fits ? below : Math.max(8, box.top - host.offsetHeight - 4)}px`;
}

function closeMenu(giveBack) {
  if (!isMenuOpen()) return;
  menu().hidePopover();
  const button = byId(opener);
  if (button) {
    button.setAttribute("aria-expanded", "false");
    if (giveBack) button.focus();
  }
}

function menuKey(event) {
  const all = items();
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    all.at(to % all.length)?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault();
    closeMenu(true);
  } else if (event.key === " ") {
    event.preventDefault();
    document.activeElement.click();
  } else if (/^\w$/.test(event.key)) {
    const after = [...all.slice(at + 1), ...all.slice(0, at + 1)];
    const found = after.find((each) => each.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
    found?.focus();
  }
}

document.addEventListener("keydown", (event) => {
  if (isMenuOpen() && (menu().contains(document.activeElement) || event.key === "Escape")) {
    menuKey(event);
    return;
  }
  const button = event.target.closest?.(".more");
  if (button && [" ", "ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    openMenu(button, event.key === "ArrowUp");
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".more");
  if (button && !(event.metaKey || event.ctrlKey || event.shiftKey)) {
    event.preventDefault();
    if (isMenuOpen() && opener === button.id) closeMenu(true);
    else openMenu(button, false);
    return;
  }
  if (!isMenuOpen()) return;
  const item = event.target.closest("#menu [role=menuitem]");
  if (item?.getAttribute("aria-disabled") === "true") return;
  if (item || !event.target.closest("#menu")) closeMenu(Boolean(item));
});
addEventListener("resize", () => closeMenu(false));
addEventListener("scroll", () => isMenuOpen() && byId(opener) && place(byId(opener)), true);

/* The dialog: modal, focus on its heading (never on what destroys), given back when it closes. */

let cameFrom = null;

const dialog = () => byId("dialog").querySelector("dialog");

function showDialog(focusedId) {
  const shown = dialog();
  if (!shown || shown.open) return;
  shown.addEventListener("close", () => {
    shown.remove();
    const back = (cameFrom?.id && byId(cameFrom.id)) || cameFrom;
    if (back?.isConnected) back.focus();
  });
  shown.showModal();
  const first = shown.querySelector("[data-focus]") || (focusedId && byId(focusedId)) || shown.querySelector("h1, h2");
  first?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) dialog()?.close();
});

/* Swaps: what was opened stays open, logs stay where they were, a typed reason stays typed. */

const opened = new Map(); // id of <details> → what the person chose
const scrolls = new Map(); // id → from the top, or null: at the end
let typed = "";
let focused = "";

document.addEventListener("click", (event) => {
  const details = event.target.closest("summary")?.parentElement;
  if (details?.id) opened.set(details.id, !details.open);
});

function remember(root) {
  for (const each of root.querySelectorAll("[data-scroll]")) {
    const atEnd = each.classList.contains("log") && each.scrollTop + each.clientHeight >= each.scrollHeight - 4;
    scrolls.set(each.id, atEnd ? null : each.scrollTop);
  }
}

function restore(root) {
  for (const each of root.querySelectorAll("details[id]")) {
    if (opened.has(each.id)) each.open = opened.get(each.id);
  }
  for (const each of root.querySelectorAll("[data-scroll]")) {
    if (!scrolls.has(each.id)) continue;
    each.scrollTop = scrolls.get(each.id) ?? each.scrollHeight;
  }
}

document.addEventListener("toggle", (event) => {
  const log = event.target.open && event.target.querySelector?.(".log");
  if (log && !scrolls.has(log.id)) log.scrollTop = log.scrollHeight;
}, true);

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  // A session that has ended leads to the page to sign in, which is no fragment.
  const asked = new URL(requestConfig.path, location.href).pathname;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked) {
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
  // What was polled for is gone, or no longer ours to see: the whole page says so.
  if (xhr.status === 404 || (xhr.status >= 400 && !target.closest("#dialog"))) {
    event.detail.shouldSwap = false;
    if (xhr.status === 404) location.reload();
    return;
  }
  focused = document.activeElement?.id || "";
  if (target.closest("#dialog")) {
    if (target.id === "dialog") {
      cameFrom = document.activeElement === document.body ? event.detail.elt : document.activeElement;
      typed = "";
      opened.forEach((_, id) => /^(keys|diff)-/.test(id) && opened.delete(id));
      scrolls.delete("confirm-body");
    } else {
      typed = target.querySelector("[name=note]")?.value || "";
    }
  }
  remember(target);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const root = live()?.contains(event.target) ? live() : event.target;
  tellTimes();
  restore(root);
  const expanded = isMenuOpen() && byId(opener);
  if (expanded) expanded.setAttribute("aria-expanded", "true");
  if (dialog() && !dialog().open) {
    const note = dialog().querySelector("[name=note]");
    if (note && !note.value) note.value = typed;
    showDialog(focused);
  }
  announce();
});

let announced = live()?.dataset.announce;
function announce() {
  const now = live()?.dataset.announce;
  if (now && now !== announced) say(byId("announcer"), now);
  announced = now;
}

/* Polling: not while nobody looks; says so when Lastgood does not answer. */

const isPoll = (event) => event.detail.elt?.matches?.("[data-poll]");
const look = () => live() && htmx.trigger(live(), "look");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event) && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => document.hidden || look());

let answeredAt = new Date();
document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr?.status || 0;
  const silent = status === 0 || status >= 500;
  if (!silent) answeredAt = new Date();
  if (isPoll(event) || silent) {
    say(byId("offline-since"), answeredAt.toLocaleTimeString());
    byId("offline").hidden = !silent;
  }
  if (event.detail.elt?.matches?.("[data-refresh]")) {
    for (const after of [800, 2000, 4000]) setTimeout(look, after);
  }
});

/* Forms are sent once; a page that comes back from the browser's cache can be used again. */

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[hx-post]") || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  for (const each of form.querySelectorAll("button")) each.setAttribute("aria-busy", "true");
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-refresh]")) event.target.querySelector("button").setAttribute("aria-busy", "true");
}, true);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
