// Answers from the shelf when there is no network. It keeps nothing by itself: what is on the shelf a reader put there (shelf.js).
const NAME = 'kepu-shelf';
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', event => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  event.respondWith((async () => {
    try {
      return await fetch(event.request);
    } catch (failed) {
      const cache = await caches.open(NAME);
      const kept = await cache.match(event.request, { ignoreSearch: true, ignoreVary: true });
      if (kept) return kept;
      if (event.request.mode === 'navigate') {
        const shelf = await cache.match('/shelf', { ignoreVary: true });
        if (shelf) return shelf;
      }
      throw failed;
    }
  })());
});
