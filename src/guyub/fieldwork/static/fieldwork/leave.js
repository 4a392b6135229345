// On the ordinary pages of whoever uses the field app: signing out takes what the app keeps off the phone,
// and is held up while something was not sent yet.
(() => {
  const NAME = "guyub-lapangan";
  const form = document.querySelector(".menu-body form[action$='/logout/']");
  if (!form || !indexedDB.databases) return;

  const count = (db, store) => new Promise((resolve) => {
    const request = db.transaction(store).objectStore(store).count();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(0);
  });

  async function unsent() {
    if (!(await indexedDB.databases()).some((one) => one.name === NAME)) return 0;
    const db = await new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    try {
      if (!db.objectStoreNames.contains("queue")) return 0;
      return (await count(db, "queue")) + (await count(db, "drafts"));
    } finally {
      db.close();
    }
  }

  form.addEventListener("submit", async (event) => {
    if (form.dataset.wiped) return;
    event.preventDefault();
    let left = 0;
    try { left = await unsent(); } catch (error) { /* nothing that could be lost is known of */ }
    if (left) { location.assign("/lapangan/#/antrean"); return; }
    indexedDB.deleteDatabase(NAME);
    form.dataset.wiped = "1";
    form.submit();
  });
})();
