// What the phone keeps, in IndexedDB: visits and forms as downloaded, drafts, the queue, photos, what was
// sent. A plain script, not a module: the page and the service worker both load it.
//
// Everything that a person entered lies in `drafts`, `queue` and `files` and leaves them only after the
// server has said that it is stored, or when the person throws it away.
(() => {
  const NAME = "guyub-lapangan";
  const STORES = { meta: null, visits: "key", forms: "id", drafts: "visit", queue: "instance", files: "key", sent: "instance" };
  const news = "BroadcastChannel" in self ? new BroadcastChannel(NAME) : null;
  const listeners = new Set();
  let opening = null;

  function open() {
    opening ||= idb.openDB(NAME, 1, {
      upgrade(db) {
        for (const [name, keyPath] of Object.entries(STORES)) db.createObjectStore(name, keyPath ? { keyPath } : undefined);
      },
      // Another tab wants to delete or upgrade: give way.
      blocking() { close(); },
      terminated() { opening = null; },
    });
    return opening;
  }

  async function close() {
    const was = opening;
    opening = null;
    if (was) (await was).close();
  }

  function tell(what) {
    for (const listener of listeners) listener(what);
    if (news) news.postMessage(what);
  }
  if (news) news.onmessage = (event) => { for (const listener of listeners) listener(event.data); };

  const get = async (store, key) => (await open()).get(store, key);
  const all = async (store) => (await open()).getAll(store);
  const meta = (key) => get("meta", key);
  async function setMeta(key, value) { await (await open()).put("meta", value, key); }

  // A draft and its photos. Saving the draft of a visit never touches what is in the queue.
  async function saveDraft(draft) {
    await (await open()).put("drafts", { ...draft, updated_at: new Date().toISOString() });
  }
  async function saveFile(file) { await (await open()).put("files", file); }
  async function dropFile(key) { await (await open()).delete("files", key); }
  async function filesOf(instance) { return (await all("files")).filter((file) => file.instance === instance); }

  async function dropDraft(visit) {
    const db = await open();
    const draft = await db.get("drafts", visit);
    if (!draft) return;
    const files = await filesOf(draft.instance);
    const change = db.transaction(["drafts", "files"], "readwrite");
    for (const file of files) change.objectStore("files").delete(file.key);
    change.objectStore("drafts").delete(visit);
    await change.done;
    tell("drafts");
  }

  // From draft to queue in one step: there is no moment in which it is neither or both.
  async function enqueue(visit, payload) {
    const db = await open();
    const change = db.transaction(["drafts", "queue"], "readwrite");
    change.objectStore("queue").put({ instance: payload.instance, visit, payload, stored: false, problem: "", queued_at: new Date().toISOString() });
    change.objectStore("drafts").delete(visit);
    await change.done;
    tell("queue");
  }

  async function changeQueued(instance, values) {
    const db = await open();
    const change = db.transaction("queue", "readwrite");
    const item = await change.store.get(instance);
    if (item) await change.store.put({ ...item, ...values });
    await change.done;
    tell("queue");
  }

  // Back to a draft, to be mended and sent under a new number. Only what the server did not store.
  async function takeBack(instance, fresh) {
    const db = await open();
    const files = await filesOf(instance);
    const change = db.transaction(["drafts", "queue", "files"], "readwrite");
    const item = await change.objectStore("queue").get(instance);
    if (item && !item.stored) {
      const { answers, begun_at, form, seen, replaces } = item.payload;
      change.objectStore("drafts").put({ visit: item.visit, instance: fresh, form, answers, begun_at, seen, replaces, screen: 0, updated_at: new Date().toISOString() });
      for (const file of files) change.objectStore("files").put({ ...file, instance: fresh, confirmed: false });
      change.objectStore("queue").delete(instance);
    }
    await change.done;
    tell("queue");
  }

  // The server has all of it: keep only how it stands, and let go of answers and photos.
  async function confirm(instance, answer) {
    const db = await open();
    const files = await filesOf(instance);
    const change = db.transaction(["queue", "files", "sent"], "readwrite");
    const item = await change.objectStore("queue").get(instance);
    if (item) {
      change.objectStore("sent").put({ instance, visit: item.visit, sent_at: new Date().toISOString(), state: answer.state, label: answer.label });
      for (const file of files) change.objectStore("files").delete(file.key);
      change.objectStore("queue").delete(instance);
    }
    await change.done;
    tell("queue");
  }

  // What the server says is to be visited, instead of what it said before. Drafts and queue stay, and with
  // them their forms, and of a visit that is no longer told of its name: or nobody could open them again.
  async function refresh(data) {
    const db = await open();
    const change = db.transaction(["visits", "forms", "sent", "meta", "drafts", "queue"], "readwrite");
    const visits = change.objectStore("visits"), forms = change.objectStore("forms"), sent = change.objectStore("sent");
    const kept = new Set((await change.objectStore("forms").getAllKeys()));
    const begun = await change.objectStore("drafts").getAll();
    const unstored = (await change.objectStore("queue").getAll()).filter((item) => !item.stored);
    const awaited = new Set([...begun, ...unstored].map((one) => one.visit));
    const before = (await visits.getAll()).filter((visit) => awaited.has(visit.key));
    visits.clear();
    for (const { key, round, form, name, state } of before) visits.put({ key, round, form, name, state, where: "", nik: "", members: null, note: "", seen: {}, conflict: "", outcome: [], settled: "", gone: true });
    for (const visit of data.visits) visits.put(visit);
    for (const form of data.forms) { forms.put(form); kept.delete(form.id); }
    const needed = new Set([...data.needed_forms, ...begun.map((one) => one.form), ...unstored.map((item) => item.payload.form)]);
    for (const id of kept) if (!needed.has(id)) forms.delete(id);
    for (const one of data.sent) sent.put(one);
    const known = new Set(data.sent.map((one) => one.instance));
    // A month is enough to look back on what was sent from this phone.
    const old = Date.now() - 30 * 86400000;
    for (const one of await sent.getAll()) if (!known.has(one.instance) && Date.parse(one.sent_at) < old) sent.delete(one.instance);
    const about = change.objectStore("meta");
    about.put(data.user, "user");
    about.put(data.at, "synced_at");
    about.put({ rounds: data.rounds, limited: data.limited, total: data.total, villages: data.villages, keep_days: data.keep_days }, "about");
    await change.done;
    tell("visits");
  }

  // Nobody synchronised for so long that the list of people should not lie about any more. What was
  // entered stays.
  async function forgetOldVisits() {
    const at = await meta("synced_at"), about = await meta("about");
    if (!at || !about || Date.now() - Date.parse(at) < about.keep_days * 86400000) return false;
    const db = await open();
    const drafts = new Set(await db.getAllKeys("drafts"));
    const change = db.transaction("visits", "readwrite");
    let dropped = 0;
    for (const key of await change.store.getAllKeys()) if (!drafts.has(key)) { change.store.delete(key); dropped += 1; }
    await change.done;
    if (dropped) tell("visits");
    return dropped > 0;
  }

  async function unsent() {
    const db = await open();
    return { queue: await db.count("queue"), drafts: await db.count("drafts") };
  }

  async function wipe() {
    await close();
    await idb.deleteDB(NAME);
    tell("wiped");
  }

  self.lapangan = self.lapangan || {};
  self.lapangan.store = {
    get, all, meta, setMeta, saveDraft, saveFile, dropFile, filesOf, dropDraft, enqueue, changeQueued, takeBack,
    confirm, refresh, forgetOldVisits, unsent, wipe, tell, onChange: (listener) => listeners.add(listener),
  };
})();
