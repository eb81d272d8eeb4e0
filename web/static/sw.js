// The service worker. Pages come from the network, always; without one, the last known board with
// its time, or a page that says so. Files with their version in the address are kept. Pushes are
// shown, and open the right page. SHELL stands above: the server writes it.
const KEPT = "kept", FILES = `files-${SHELL.join("").length}-${[...SHELL.join("")].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) | 0, 7)}`;
const BOARD = /^\/c\/[a-z0-9][a-z0-9-]*$/;
const MOST_KEPT = 5;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(FILES).then((files) => files.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name !== KEPT && name !== FILES) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(file(request));
});

const file = async (request) => {
  const files = await caches.open(FILES), known = await files.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok && answer.status === 200) await files.put(request, answer.clone());
  return answer;
};

const page = async (event, url) => {
  try {
    const answer = await fetch(event.request);
    if (answer.ok && !answer.redirected && BOARD.test(url.pathname) && !url.search) event.waitUntil(keep(url.pathname, answer.clone()));
    return answer;
  } catch {
    return (BOARD.test(url.pathname) && (await known(url.pathname))) || (await (await caches.open(FILES)).match("/offline")) || Response.error();
  }
};

const keep = async (path, answer) => {
  const kept = await caches.open(KEPT);
  const headers = new Headers(answer.headers);
  headers.set("x-kept-at", Date.now());
  await kept.delete(path); // so that the newest comes last
  await kept.put(path, new Response(await answer.blob(), { headers }));
  const paths = await kept.keys();
  for (const old of paths.slice(0, Math.max(0, paths.length - MOST_KEPT))) await kept.delete(old);
};

// The page itself, told since when it has not been true.
const known = async (path) => {
  const answer = await (await caches.open(KEPT)).match(path);
  if (!answer) return null;
  const html = (await answer.text()).replace("<body ", `<body data-kept-at="${answer.headers.get("x-kept-at")}" `);
  return new Response(html, { headers: answer.headers });
};

const told = (event) => {
  try {
    return event.data?.json() ?? {};
  } catch {
    return {};
  }
};

self.addEventListener("push", (event) => {
  const { title = "ToolShare", body = "There is something new.", path = "/", tag } = told(event);
  const options = { body, tag, renotify: Boolean(tag), data: { path }, icon: "/static/icons/app-192.png", badge: "/static/icons/badge-96.png" };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.path ?? "/", location.origin);
  if (url.origin !== location.origin) return;
  const open = async () => {
    const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = all.find((client) => new URL(client.url).pathname === url.pathname);
    if (there) return there.focus();
    return self.clients.openWindow(url.href);
  };
  event.waitUntil(open());
});

// The browser has made a new subscription of its own: the old one is void.
self.addEventListener("pushsubscriptionchange", (event) => {
  const renew = async () => {
    const { key } = await (await fetch("/push/key")).json();
    const fresh = event.newSubscription ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
    const { endpoint, keys } = fresh.toJSON();
    await fetch("/push/subscription", { method: "POST", body: new URLSearchParams({ endpoint, public_key: keys.p256dh, auth: keys.auth }) });
  };
  event.waitUntil(renew().catch(() => {}));
});
