// When live.js has to reload the page (another database, signed in anew), what was typed stays;
// when its writer signs out, it goes (shell.js).
(() => {
  const { person } = document.body.dataset;

  // What waits to be sent and what is half typed is its writer's alone.
  const forget = (store, gone) => Object.keys(store).filter(gone).map((key) => store.removeItem(key)).length;
  const others = (kind) => (key) => key.startsWith(`${kind}-`) && !key.startsWith(`${kind}-${person}-`);
  if (forget(localStorage, others("outbox"))) {
    try { window.indexedDB?.deleteDatabase("outbox"); } catch { /* refused: then there are no photos */ }
  }
  forget(sessionStorage, others("draft"));

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
