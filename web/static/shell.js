// Makes the pages an app: the service worker; and what it keeps goes when somebody signs out, or
// when somebody else has signed in. What is chosen for the device (theme, pause) is in cookies.
(() => {
  const { person } = document.body.dataset;
  const forget = async () => {
    await window.caches?.delete("kept");
    const subscription = await (await navigator.serviceWorker?.getRegistration())?.pushManager?.getSubscription();
    await subscription?.unsubscribe();
  };
  const forgetWords = () => {
    sessionStorage.clear();
    localStorage.clear();
    try { window.indexedDB?.deleteDatabase("outbox"); } catch { /* refused: then there is none */ }
  };

  // Nobody is signed in here any more: no page of anybody stays, and nothing rings. What was typed
  // stays, since a session may have run out over it; who signs out takes that along, too.
  let forgotten = !person && location.pathname === "/sign-in" ? forget() : Promise.resolve();

  // Each tab remembers whose its words are: it may be looked at long after another one's sign-in.
  try {
    if (person) {
      const former = [localStorage, sessionStorage].map((store) => store.getItem("person"));
      if (former.some((one) => one && one !== person)) forgetWords();
      if (former[0] && former[0] !== person) forgotten = forget();
      for (const store of [localStorage, sessionStorage]) store.setItem("person", person);
    }
  } catch {
    // Where nothing can be kept there is nothing to forget.
  }
  forgotten = forgotten.catch(() => {});

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!["/sign-out", "/profile/sessions/end"].includes(new URL(form.action).pathname) || form.dataset.forgotten) return;
    event.preventDefault();
    form.dataset.forgotten = "1";
    forgetWords();
    const soon = new Promise((done) => setTimeout(done, 1000)); // signing out waits for nothing
    Promise.race([forget().catch(() => {}), soon]).then(() => form.submit());
  });

  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js").catch(() => {}); // plain http in a LAN has none

  // --- ringing: a subscription is made for one key of the server, and told to it for one session
  const post = (path, fields) => fetch(path, { method: "POST", body: new URLSearchParams(fields) });
  const key = async () => (await (await fetch("/push/key")).json()).key;
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const subscribe = async (manager, applicationServerKey) => {
    const made = await manager.subscribe({ userVisibleOnly: true, applicationServerKey });
    const { endpoint, keys } = made.toJSON();
    const answer = await post("/push/subscription", { endpoint, public_key: keys.p256dh, auth: keys.auth });
    if (answer.ok) return;
    // What is never taken must not look as if it rang; a busy server hears of it in the next window.
    if (answer.status < 500 && answer.status !== 429) await made.unsubscribe();
    throw new Error(String(answer.status));
  };
  // The server may have another key by now, or have forgotten this browser; then it hears of it anew.
  const renew = async (manager) => {
    const old = await manager.getSubscription();
    if (!old) return;
    const now = await key();
    if (text(old.options.applicationServerKey) !== now) await old.unsubscribe();
    await subscribe(manager, now);
  };
  window.ringing = { key, post, renew, subscribe };

  const once = async () => {
    if (!person || sessionStorage.getItem("rings") || !window.Notification || Notification.permission !== "granted") return;
    sessionStorage.setItem("rings", "1");
    await forgotten;
    const { pushManager } = await navigator.serviceWorker.ready;
    if (pushManager) await renew(pushManager);
  };
  once().catch(() => {}); // the next window tries again
})();
