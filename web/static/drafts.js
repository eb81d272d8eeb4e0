// When live.js has to reload the page (another database, signed in anew), what was typed stays.
(() => {
  const { person } = document.body.dataset;
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
