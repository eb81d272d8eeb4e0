// Makes the pages an app: the service worker; and what it keeps goes when somebody signs out.
(() => {
  if (!("serviceWorker" in navigator)) return;
  const forget = async () => {
    await caches.delete("kept");
    const subscription = await (await navigator.serviceWorker.getRegistration())?.pushManager?.getSubscription();
    await subscription?.unsubscribe();
  };

  // Nobody is signed in here any more: no page of anybody stays, and nothing rings. What was typed
  // stays, since a session may have run out over it; who signs out takes that along, too.
  if (!document.body.dataset.person && location.pathname === "/sign-in") forget().catch(() => {});

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!["/sign-out", "/profile/sessions/end"].includes(new URL(form.action).pathname) || form.dataset.forgotten) return;
    event.preventDefault();
    form.dataset.forgotten = "1";
    sessionStorage.clear();
    localStorage.clear();
    const soon = new Promise((done) => setTimeout(done, 1000)); // signing out waits for nothing
    Promise.race([forget().catch(() => {}), soon]).then(() => form.submit());
  });

  navigator.serviceWorker.register("/sw.js").catch(() => {}); // plain http in a LAN has none
})();
