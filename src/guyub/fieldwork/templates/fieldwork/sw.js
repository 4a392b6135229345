{% load fieldwork_json %}// Keeps the field app on the phone, so that it opens without signal, and sends the queue when the browser
// says that there is signal again. Everything else goes to the network as ever.
importScripts({% for script in scripts %}{{ script|js }}{% if not forloop.last %}, {% endif %}{% endfor %});

const CACHE = "guyub-lapangan-" + {{ version|js }}, PAGE = {{ page|js }};
const ASSETS = new Set({{ assets|js }});

async function keepPage(cache) {
  const answer = await fetch(PAGE, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
  // Not the page for signing in, which is where this leads when the session is over.
  if (answer.ok && answer.type === "basic") await cache.put(PAGE, answer);
}

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...ASSETS].map((path) => new Request(path, { cache: "reload" })));
    await keepPage(cache);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("guyub-lapangan-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) {
    event.respondWith((async () => {
      const cache = await caches.open(CACHE);
      const kept = await cache.match(PAGE);
      if (!kept) return fetch(event.request);
      event.waitUntil(keepPage(cache).catch(() => {}));
      return kept;
    })());
  } else if (ASSETS.has(url.pathname)) {
    event.respondWith((async () => {
      const cache = await caches.open(CACHE);
      return (await cache.match(url.pathname)) || fetch(event.request);
    })());
  }
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "guyub-kirim") return;
  event.waitUntil(self.lapangan.sync.run().then((outcome) => {
    // The browser tries again later of its own accord.
    if (outcome === "offline" || outcome === "busy" || outcome === "failed") throw new Error(outcome);
  }));
});
