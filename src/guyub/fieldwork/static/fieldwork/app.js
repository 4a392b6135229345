// The list of visits, the queue, and how things stand; the form itself is in filling.js.

import { ago, announce, badge, bytes, fill, h, say, texts } from "./elements.js";
import { Filling, language, newDraft, registerSync } from "./filling.js";
import { uuid } from "./photos.js";

const { store, sync } = self.lapangan;
const A_PAGE = 40;
const TONES = { to_go: "neutral", draft: "info", queue: "warn", sent: "good", conflict: "bad", done: "good", refused: "bad", left: "warn" };
const place = document.getElementById("isi"), state = document.getElementById("keadaan"), notice = document.getElementById("pemberitahuan"), notReady = document.getElementById("belum-siap");
let filling = null, shown = A_PAGE, wish = { text: "", state: "" }, syncing = false;

// How things stand

async function standing() {
  const { queue, drafts } = await store.unsent();
  const at = await store.meta("synced_at"), online = navigator.onLine;
  const quota = navigator.storage && navigator.storage.estimate ? await navigator.storage.estimate() : {};
  fill(
    state,
    badge(say(online ? "online" : "offline"), online ? "good" : "warn"),
    h("a", { href: "#/antrean" }, say("in_queue", { n: queue })),
    h("span", {}, say("drafts", { n: drafts })),
    h("span", {}, at ? say("synced_at", { at: ago(at, language) }) : say("never_synced")),
    quota.usage ? h("span", {}, say("storage", { used: bytes(quota.usage, language) })) : null,
    h("button", { type: "button", class: "small secondary", "aria-busy": syncing ? "true" : undefined, disabled: syncing || !online, onclick: () => sync.run() }, say(syncing ? "syncing" : "sync")),
  );
}

async function outcome() {
  const last = await store.meta("outcome");
  fill(notice);
  if (!last || syncing) return;
  const put = (tone, ...content) => notice.append(h("div", { class: `alert alert-${tone}`, role: "status" }, ...content));
  if (last.outcome === "signed-out") put("warning", say("signed_out"), " ", h("a", { href: `${texts.sign_in_url}?next=${encodeURIComponent("/lapangan/")}` }, say("sign_in")));
  else if (last.outcome === "other-user") put("error", say("other_user", { name: last.detail }));
  else if (last.outcome === "forbidden") put("error", say("forbidden"));
  else if (last.outcome === "busy" || last.outcome === "failed") put("warning", say("busy"));
  const refused = (await store.all("queue")).filter((item) => item.problem);
  if (refused.length) put("error", say("refused", { n: refused.length }), " ", h("a", { href: "#/antrean" }, say("look_at_queue")));
}

// The list

async function everything() {
  const [visits, drafts, queue, sent, about] = await Promise.all([store.all("visits"), store.all("drafts"), store.all("queue"), store.all("sent"), store.meta("about")]);
  const begun = new Map(drafts.map((draft) => [draft.visit, draft])), waiting = new Map(queue.map((item) => [item.visit, item]));
  const mine = new Map();
  for (const one of sent) if (one.visit && (!mine.has(one.visit) || mine.get(one.visit).sent_at < one.sent_at)) mine.set(one.visit, one);
  const rows = visits.map((visit) => ({ visit, here: stateOf(visit, begun, waiting), draft: begun.get(visit.key), sent: mine.get(visit.key) }));
  return { rows, about: about || { rounds: {}, villages: [] } };
}

function stateOf(visit, begun, waiting) {
  if (begun.has(visit.key)) return "draft";
  if (waiting.has(visit.key)) return waiting.get(visit.key).problem ? "refused" : "queue";
  return visit.left ? "left" : visit.state;
}

const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

// A tap on what is replaced between finger down and finger up gets lost.
let drawn = "";

async function list(current) {
  const { rows, about } = await everything();
  if (!current()) return;
  const now = JSON.stringify([rows, about]);
  if (now === drawn && document.getElementById("hasil")) return;
  drawn = now;
  const results = h("div", { id: "hasil" });
  const draw = () => {
    const words = fold(wish.text).split(/\s+/).filter(Boolean);
    const found = rows.filter(({ visit, here }) => (!wish.state || here === wish.state) && words.every((word) => fold(`${visit.name} ${visit.where} ${visit.nik}`).includes(word)));
    fill(
      results,
      h("p", { class: "muted small-text", "aria-live": "polite" }, say("found", { n: found.length, of: rows.length })),
      found.length ? h("ul", { class: "visits" }, found.slice(0, shown).map(entry)) : h("div", { class: "card empty" }, h("h2", {}, say(rows.length ? "none_found" : "no_visits")), h("p", {}, say(rows.length ? "none_found_why" : navigator.onLine ? "no_visits_why" : "no_visits_offline"))),
      found.length > shown ? h("button", { type: "button", class: "secondary big", onclick: () => { shown += A_PAGE; draw(); } }, say("more", { n: found.length - shown })) : null,
    );
  };
  const counts = {};
  for (const { here } of rows) counts[here] = (counts[here] || 0) + 1;
  const search = h("input", { id: "cari", type: "search", value: wish.text, autocomplete: "off", oninput: (event) => { wish.text = event.target.value; shown = A_PAGE; draw(); } });
  const choice = h("select", { id: "saring", onchange: (event) => { wish.state = event.target.value; shown = A_PAGE; draw(); } },
    h("option", { value: "" }, say("all_states", { n: rows.length })),
    Object.keys(TONES).filter((name) => counts[name]).map((name) => h("option", { value: name, selected: wish.state === name }, `${say(`state_${name}`)} (${counts[name]})`)));
  fill(
    place,
    h("h1", {}, say("title")),
    Object.values(about.rounds).map((round) => round.note || round.due ? h("details", { class: "visit-round" }, h("summary", {}, round.title, round.due ? ` · ${say("until", { day: round.due })}` : ""), h("p", {}, round.note || say("no_note"))) : h("p", { class: "muted" }, round.title)),
    about.limited ? h("div", { class: "alert alert-info" }, say("limited", { n: rows.length, of: about.total })) : null,
    villageChoice(about),
    h("div", { class: "visit-filters" }, h("div", {}, h("label", { for: "cari" }, say("search")), search), h("div", {}, h("label", { for: "saring" }, say("state")), choice)),
    results,
  );
  draw();
}

// Where there is more than a phone should carry, one village at a time.
function villageChoice(about) {
  if (!about.villages || about.villages.length < 2) return null;
  const select = h("select", { id: "desa", onchange: async () => { await store.setMeta("village", select.value); if (navigator.onLine) sync.run(); else announce(say("village_later")); } },
    h("option", { value: "" }, say("all_villages")), about.villages.map((one) => h("option", { value: one.code }, `${one.name} (${one.n})`)));
  store.meta("village").then((code) => { select.value = code || ""; });
  return h("div", { class: "visit-filters" }, h("div", {}, h("label", { for: "desa" }, say("village")), select));
}

function entry({ visit, here, sent }) {
  return h("li", {}, h("a", { href: `#/k/${visit.key}` },
    h("span", { class: "visit-name" }, visit.name), badge(say(`state_${here}`), TONES[here]),
    h("small", { class: "muted" }, [visit.where, visit.nik].filter(Boolean).join(" · ")),
    visit.conflict && (here === "conflict") ? h("small", { class: "visit-why" }, visit.conflict) : null,
    sent && here !== "draft" && here !== "queue" ? h("small", { class: "muted" }, say("you_sent", { at: ago(sent.sent_at, language), state: sent.label || "" })) : null));
}

// One visit

async function visit(key, current) {
  const found = await store.get("visits", key), draft = await store.get("drafts", key);
  const queued = (await store.all("queue")).find((item) => item.visit === key);
  const form = found && await store.get("forms", (draft && draft.form) || found.form);
  const mine = (await store.all("sent")).filter((one) => one.visit === key).sort((a, b) => (a.sent_at < b.sent_at ? 1 : -1));
  if (!current()) return;
  if (!found) { fill(place, h("h1", {}, say("gone")), h("p", {}, say("gone_why")), h("p", {}, h("a", { href: "#/" }, say("list")))); return; }
  if (draft && form) { begin(found, form, draft); return; }
  const here = queued ? (queued.problem ? "refused" : "queue") : found.left ? "left" : found.state;
  const open = here === "to_go";
  const start = async (replaces) => { const fresh = newDraft(found, form, language, replaces); await store.saveDraft(fresh); begin(found, form, fresh); };
  fill(
    place,
    h("nav", { class: "crumbs", "aria-label": say("back") }, h("a", { href: "#/" }, say("list"))),
    h("h1", {}, found.name), h("p", {}, badge(say(`state_${here}`), TONES[here])),
    h("section", { class: "card" }, h("dl", { class: "facts" }, [[say("where"), found.where], ["NIK", found.nik], [say("members"), found.members], [say("note"), found.note]].filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))))),
    found.left ? h("div", { class: "alert alert-warning" }, say("left_why")) : null,
    found.conflict ? h("div", { class: "alert alert-error" }, found.conflict) : null,
    found.outcome.length ? h("section", { class: "card" }, h("h2", {}, say("settled")), h("p", { class: "muted" }, found.settled), h("ul", { class: "plain" }, found.outcome.map((line) => h("li", {}, line)))) : null,
    mine.map((one) => h("p", { class: "muted" }, say("you_sent", { at: ago(one.sent_at, language), state: one.label || "" }), one.note ? ` – ${one.note}` : "")),
    queued ? h("p", {}, say(queued.problem ? "refused_here" : "in_queue_here"), " ", h("a", { href: "#/antrean" }, say("look_at_queue"))) : null,
    found.left || found.gone ? null
      : !form ? h("div", { class: "alert alert-warning" }, say("no_form"))
      : open || !mine.length ? (queued ? null : h("button", { type: "button", class: "big", onclick: () => start(null) }, say(open ? "begin" : "begin_too")))
      : queued ? null : h("button", { type: "button", class: "secondary big", onclick: () => start(mine[0].instance) }, say("correct")),
  );
  focusTitle();
}

function begin(found, form, draft) {
  filling = new Filling(found, form, draft, { language, leave: (text) => { filling = null; location.hash = "#/"; announce(text); store.tell("queue"); } });
  filling.show();
}

// The queue

async function queue(current) {
  const [items, visits] = await Promise.all([store.all("queue"), store.all("visits")]);
  const names = new Map(visits.map((one) => [one.key, one.name]));
  const unsent = new Map(await Promise.all(items.map(async (item) => [item, (await store.filesOf(item.instance)).filter((file) => !file.confirmed).length])));
  if (!current()) return;
  fill(
    place,
    h("nav", { class: "crumbs", "aria-label": say("back") }, h("a", { href: "#/" }, say("list"))),
    h("h1", {}, say("queue")), h("p", { class: "muted" }, say("queue_why")),
    items.length ? h("ul", { class: "visits" }, items.map((item) =>
      h("li", {}, h("div", { class: "visit-queued" },
        h("span", { class: "visit-name" }, names.get(item.visit) || say("gone")), badge(say(item.problem ? "state_refused" : "state_queue"), item.problem ? "bad" : "warn"),
        h("small", { class: "muted" }, say("queued_at", { at: ago(item.queued_at, language), n: unsent.get(item) })),
        item.stored ? h("small", {}, say("answers_stored")) : null,
        item.problem ? h("p", { class: "visit-why" }, item.problem) : null,
        item.problem && !item.stored ? h("button", { type: "button", class: "secondary small", onclick: async () => { await store.takeBack(item.instance, uuid()); location.hash = `#/k/${item.visit}`; } }, say("mend_queued")) : null,
        // The answers are safe; only what can't be sent is given up.
        item.problem && item.stored ? h("button", { type: "button", class: "secondary small", onclick: () => store.confirm(item.instance, { state: "sent", label: "" }) }, say("drop_files")) : null)))) : h("div", { class: "card empty" }, h("h2", {}, say("queue_empty")), h("p", {}, say("queue_empty_why"))),
    h("section", { class: "card" }, h("h2", {}, say("leave_title")), h("p", {}, say("leave_why")),
      h("button", { type: "button", class: "secondary", onclick: signOut }, say("leave"))),
  );
}

// Signing out here wipes the phone, so not while something is unsent.
async function signOut() {
  const { queue: waiting, drafts } = await store.unsent();
  if (waiting || drafts) { announce(say("leave_unsent", { n: waiting + drafts })); fill(notice, h("div", { class: "alert alert-error", role: "alert" }, say("leave_unsent", { n: waiting + drafts }))); return; }
  await store.wipe();
  location.assign(texts.sign_out_url);
}

function focusTitle() {
  const title = place.querySelector("h1");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// Which page

// What takes long to gather must not be drawn over the page that somebody went on to meanwhile.
let turn = 0;

async function route() {
  filling = null;
  const mine = ++turn, current = () => mine === turn;
  const [, name, key] = location.hash.split("/");
  if (name === "k" && key) await visit(key, current);
  else if (name === "antrean") await queue(current);
  else await list(current);
}

async function renew(what) {
  syncing = what === "syncing" ? true : what === "synced" ? false : syncing;
  await Promise.all([standing(), outcome()]);
  // A form that is being filled in is left alone.
  if (filling || what === "syncing" || location.hash.startsWith("#/k/")) return;
  // Whoever is somewhere on the list stays there while it is drawn anew.
  const here = document.activeElement, within = here && place.contains(here);
  const spot = !within ? "" : here.id ? `#${here.id}` : here.hasAttribute("href") ? `a[href="${here.getAttribute("href")}"]` : "";
  const [start, end] = here && here.id === "cari" ? [here.selectionStart, here.selectionEnd] : [];
  await route();
  const again = spot && place.querySelector(spot);
  if (again) { again.focus({ preventScroll: true }); if (start !== undefined) again.setSelectionRange(start, end); }
}

// Keeps the app on the phone. Who leaves before that is done finds nothing in the field, so it must be said.
async function getReadyToGo() {
  const warn = (key) => { if (!notReady.childElementCount) notReady.append(h("div", { class: "alert alert-warning", role: "status" }, say(key))); };
  if (!("serviceWorker" in navigator)) { warn("no_worker"); return; }
  let registration;
  try {
    registration = await navigator.serviceWorker.register("/lapangan/sw.js");
  } catch (error) { warn(navigator.onLine ? "no_worker" : "not_kept"); return; }
  registerSync();
  const worker = registration.installing;
  if (!worker || registration.active) return;
  worker.addEventListener("statechange", () => {
    if (worker.state === "redundant") warn("not_kept");
    else if (worker.state === "activated") fill(notReady);
  });
}

async function start() {
  store.onChange((what) => { renew(what); });
  addEventListener("hashchange", route);
  addEventListener("online", () => { standing(); sync.run(); if (notReady.childElementCount) { fill(notReady); getReadyToGo(); } });
  addEventListener("offline", () => standing());
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState === "visible" && navigator.onLine && (await store.unsent()).queue) sync.run();
  });
  setInterval(async () => { if (navigator.onLine && !syncing && (await store.unsent()).queue) sync.run(); }, 60000);
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  if (await store.forgetOldVisits()) announce(say("forgotten"));
  await route();
  await standing();
  getReadyToGo();
  if (navigator.onLine) sync.run();
}

start();
