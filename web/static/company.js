// Who else is here and types ({topic, ttl, html}): shown for as long as it is true, and told by us
// while this page is looked at. The server passes on only what its person has switched on.
(() => {
  const HERE_EVERY = 3000, TYPING_EVERY = 2000;
  const ends = new Map(); // topic → timer that clears its line
  let saidAt = 0, typedAt = 0;
  const looking = () => document.visibilityState === "visible";

  document.addEventListener("live:company", ({ detail: { topic, ttl, html } }) => {
    const line = document.querySelector(`[data-company="${CSS.escape(topic)}"]`);
    if (!line) return;
    clearTimeout(ends.get(topic));
    ends.set(topic, setTimeout(() => line.replaceChildren(), ttl));
    if (line.innerHTML !== html) line.innerHTML = html;
  });

  setInterval(() => {
    if (!looking() || Date.now() - saidAt < HERE_EVERY) return;
    for (const line of document.querySelectorAll("[data-company]")) {
      if (live.send({ here: line.dataset.company })) saidAt = Date.now();
    }
  }, 500);

  document.addEventListener("input", ({ target }) => {
    const topic = target.dataset?.typing;
    if (!topic || !target.value.trim() || Date.now() - typedAt < TYPING_EVERY) return;
    if (live.send({ typing: topic })) typedAt = Date.now();
  });
})();
