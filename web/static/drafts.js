// When live.js has to reload the page (another database, signed in anew), what was typed stays;
// when its writer signs out, it goes (shell.js).
(() => {
  const { person } = document.body.dataset;

  // What waits to be sent is its writer's alone.
  const forget = (store, gone) => Object.keys(store).filter(gone).forEach((key) => store.removeItem(key));
  forget(localStorage, (key) => key.startsWith("outbox-") && !key.startsWith(`outbox-${person}-`));

  const fields = () => [...document.querySelectorAll("textarea[id], input[type=text][id]")];

  window.addEventListener("live:reload", () => {
    const words = fields().filter((field) => field.value !== field.defaultValue).map((field) => [field.id, field.value]);
    sessionStorage.setItem("live-typed", JSON.stringify({ person, path: location.pathname, words }));
  });

  const kept = JSON.parse(sessionStorage.getItem("live-typed") ?? "null");
  sessionStorage.removeItem("live-typed");
  if (kept?.person !== person || kept.path !== location.pathname) return;
  for (const [id, words] of kept.words) {
    const field = document.getElementById(id);
    if (field && field.value === field.defaultValue) field.value = words;
  }
})();
