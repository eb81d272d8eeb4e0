// "Ring on this device": asks for the permission when it is pressed, and tells the server.
(async () => {
  const on = document.getElementById("push-on"), off = document.getElementById("push-off"), state = document.getElementById("push-state");
  if (!on) return;
  const phone = /iPhone|iPad/.test(navigator.userAgent) && !matchMedia("(display-mode: standalone)").matches;
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    state.textContent = phone
      ? "On an iPhone or iPad, first add ToolShare to the home screen (Share, then Add to Home Screen), and open it from there."
      : "This browser cannot ring.";
    return;
  }
  const { pushManager } = await navigator.serviceWorker.ready, { key, post, renew, subscribe } = window.ringing;

  const show = async () => {
    const subscription = await pushManager.getSubscription();
    on.hidden = Boolean(subscription);
    off.hidden = !subscription;
    if (subscription) state.textContent = "This device rings. A push never says who wrote what: only that there is something, and where.";
    else if (Notification.permission === "denied") state.textContent = "Notifications are switched off for this site in the browser.";
  };

  on.addEventListener("click", async () => {
    try {
      await subscribe(pushManager, await key());
      await show();
    } catch {
      state.textContent = Notification.permission === "denied" ? "Notifications are switched off for this site in the browser." : "That did not work. Please try again in a moment.";
    }
  });

  off.addEventListener("click", async () => {
    const subscription = await pushManager.getSubscription();
    if (subscription) {
      await post("/push/subscription/end", { endpoint: subscription.endpoint });
      await subscription.unsubscribe();
    }
    state.textContent = "This device does not ring any more.";
    await show();
  });

  await renew(pushManager).catch(() => {}); // the server may not know it any more
  await show();
})();
