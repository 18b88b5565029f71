// The shelf for reading without a network: keeps pages in this browser, shows which, and lets go of what was withdrawn as soon as there is
// a network again. Nothing about the reader leaves the browser but the ids of what is kept, and nobody notes them.
(() => {
  if (!('caches' in window) || !('serviceWorker' in navigator)) return;
  const NAME = 'kepu-shelf';
  const KEY = 'kepu-shelf';
  const read = () => { try { return JSON.parse(localStorage.getItem(KEY) || '[]').filter(k => k && typeof k.id === 'string' && /^\/[rc]\//.test(k.path)); } catch { return []; } };
  const write = list => localStorage.setItem(KEY, JSON.stringify(list.slice(0, 200)));
  const keep = async (path, parts) => {
    const cache = await caches.open(NAME);
    const response = await fetch(path, { credentials: 'omit', cache: 'no-cache' });
    if (!response.ok) throw new Error(response.status);
    await cache.put(path, response);
    await cache.addAll(parts);
  };
  const drop = async kept => (await caches.open(NAME)).delete(kept.path);
  // The page's own stylesheet and pictures, so that it looks the same without a network.
  const parts = () => [...document.querySelectorAll('link[rel=stylesheet],article img')]
    .map(e => e.href || e.src).filter(url => url.startsWith(location.origin)).concat('/shelf');

  const button = document.querySelector('a[data-shelf]');
  if (button) {
    const said = button.parentElement.querySelector('[role=status]');
    const tell = () => { if (read().some(k => k.id === button.dataset.shelf)) said.textContent = button.dataset.kept; };
    tell();
    button.addEventListener('click', async event => {
      event.preventDefault();
      try {
        await navigator.serviceWorker.register('/sw.js');
        await keep(location.pathname, parts());
        const kept = { id: button.dataset.shelf, path: location.pathname, title: document.querySelector('h1').textContent.trim(), version: button.dataset.version };
        write(read().filter(k => k.id !== kept.id).concat(kept));
        tell();
      } catch {
        said.textContent = button.dataset.failed;
      }
    });
  }

  const list = document.querySelector('#kept');
  const draw = gone => {
    if (!list) return;
    const kept = read();
    list.replaceChildren(...kept.map(k => {
      const row = document.createElement('li');
      const link = document.createElement('a');
      link.href = k.path;
      link.textContent = k.title;
      const away = document.createElement('button');
      away.className = 'btn small';
      away.type = 'button';
      away.textContent = list.dataset.drop;
      away.setAttribute('aria-label', `${list.dataset.drop}: ${k.title}`);
      away.addEventListener('click', async () => { await drop(k); write(read().filter(other => other.id !== k.id)); draw([]); });
      row.append(link, ' ', away);
      return row;
    }));
    const said = document.querySelector('#shelf-said');
    if (gone.length) said.textContent = `${list.dataset.gone} ${gone.map(k => k.title).join(' · ')}`;
  };

  // Asks what became of what is kept. Withdrawn and expired things go at once, changed ones are fetched anew.
  const look = async () => {
    const kept = read();
    if (!navigator.onLine || !kept.length) return draw([]);
    const gone = [];
    try {
      for (let from = 0; from < kept.length; from += 50) {
        const some = kept.slice(from, from + 50);
        const answer = await fetch(`/shelf/status?ids=${encodeURIComponent(some.map(k => k.id).join(','))}`, { credentials: 'omit' });
        if (!answer.ok) break;
        const states = new Map((await answer.json()).items.map(item => [item.id, item]));
        for (const k of some) {
          const now = states.get(k.id);
          if (!now || now.state !== 'public') {
            await drop(k);
            gone.push(k);
          } else if (now.version !== k.version) {
            await keep(k.path, []);
            k.version = now.version;
          }
        }
      }
    } catch {
      // No network after all: what is kept stays until somebody can be asked.
    }
    const current = new Map(kept.map(k => [k.id, k]));
    write(read().filter(k => !gone.some(g => g.id === k.id)).map(k => current.get(k.id) || k));
    draw(gone);
  };
  draw([]);
  look();
  window.addEventListener('online', look);
})();
