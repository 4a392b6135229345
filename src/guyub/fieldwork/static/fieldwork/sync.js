// Sending the queue and fetching visits. A plain script, for the page and the service worker alike.
//
// Every message may be cut off at any point and is then sent again as it was: its number (UUID) tells the
// server that it has it already. So nothing is lost and nothing stands there twice.
(() => {
  const { store } = self.lapangan;
  const PART = 128 * 1024; // bytes of a photo in one message
  const TRIES = 2; // of a photo that arrived spoilt

  class Stopped extends Error {
    // why: "signed-out", "offline", "busy", "other-user", "forbidden"
    constructor(why, detail = "") { super(why); this.why = why; this.detail = detail; }
  }

  async function ask(path, options = {}) {
    let answer;
    try {
      // A redirect leads to the page for signing in.
      answer = await fetch(path, { credentials: "same-origin", redirect: "manual", cache: "no-store", ...options });
    } catch (error) {
      throw new Stopped("offline");
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new Stopped("signed-out");
    if (answer.status === 429 || answer.status >= 500) throw new Stopped("busy");
    let said = {};
    try { said = await answer.json(); } catch (error) {
      // Cut off in the middle, or a page of a hotel's network that wants to be clicked.
      if (answer.ok) throw new Stopped("offline");
    }
    return { status: answer.status, said };
  }

  async function session() {
    const { status, said } = await ask("/lapangan/sesi/");
    if (status === 403) throw new Stopped("forbidden");
    const known = await store.meta("user");
    if (known && known.id !== said.user.id) {
      const { queue, drafts } = await store.unsent();
      // Nobody sends under another's name.
      if (queue || drafts) throw new Stopped("other-user", known.name);
      await store.wipe();
    }
    return said.csrf;
  }

  async function sendFile(file, known, csrf) {
    let arrived = known ? known.arrived : 0, tries = 0;
    if (known && known.stored) return true;
    while (true) {
      const part = file.content.slice(arrived, arrived + PART);
      const { status, said } = await ask(`/lapangan/lampiran/${file.key}/?dari=${arrived}`, {
        method: "POST", body: part, headers: { "X-CSRFToken": csrf, "Content-Type": "application/octet-stream" },
      });
      if (status === 422 && (tries += 1) < TRIES) { arrived = 0; continue; }
      if (status !== 200) { file.problem = said.detail || String(status); return false; }
      if (said.stored) return true;
      // Neither further nor complete: begin where the server says, but not for ever.
      if (said.arrived === arrived && (tries += 1) >= TRIES) return false;
      arrived = said.arrived;
    }
  }

  async function sendOne(item, csrf) {
    const { status, said } = await ask("/lapangan/kirim/", {
      method: "POST", body: JSON.stringify(item.payload), headers: { "X-CSRFToken": csrf, "Content-Type": "application/json" },
    });
    if (status !== 200 && status !== 201) {
      await store.changeQueued(item.instance, { problem: said.detail || String(status), taken: status === 409 });
      return false;
    }
    if (!item.stored) await store.changeQueued(item.instance, { stored: true, problem: "" });
    const known = new Map(said.files.map((file) => [file.key, file]));
    const problems = [];
    for (const file of await store.filesOf(item.instance)) {
      if (!known.has(file.key)) continue;
      if (await sendFile(file, known.get(file.key), csrf)) await store.saveFile({ ...file, confirmed: true });
      else problems.push(file.problem || "");
    }
    if (problems.length) {
      await store.changeQueued(item.instance, { problem: problems[0] });
      return false;
    }
    await store.confirm(item.instance, said);
    return true;
  }

  async function fetchVisits() {
    const village = await store.meta("village");
    const have = (await store.all("forms")).map((form) => form.id).join(",");
    const query = new URLSearchParams({ formulir: have, ...(village ? { desa: village } : {}) });
    const { status, said } = await ask(`/lapangan/data/?${query}`);
    if (status === 403) throw new Stopped("forbidden");
    if (status !== 200) throw new Stopped("busy");
    await store.refresh(said);
  }

  async function work() {
    const csrf = await session();
    const queue = (await store.all("queue")).sort((a, b) => (a.queued_at < b.queued_at ? -1 : 1));
    for (const item of queue) {
      // What has the number of another content can't go through by repeating it.
      if (!item.taken) await sendOne(item, csrf);
    }
    await fetchVisits();
  }

  let running = null;
  // One at a time: in this page, and among all tabs and the service worker where the browser can.
  function run() {
    running ||= (async () => {
      store.tell("syncing");
      let outcome = "done", detail = "";
      try {
        if (navigator.locks) await navigator.locks.request("guyub-lapangan-sync", work);
        else await work();
      } catch (error) {
        if (!(error instanceof Stopped)) { console.warn(error); }
        outcome = error.why || "failed";
        detail = error.detail || "";
      }
      await store.setMeta("outcome", { outcome, detail, at: new Date().toISOString() }).catch(() => {});
      running = null;
      store.tell("synced");
      return outcome;
    })();
    return running;
  }

  self.lapangan.sync = { run };
})();
