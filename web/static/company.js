// Who else is here and who types ({topic, ttl, html}): shown for as long as it is true. Of this
// page we say so while it is looked at; the server passes on only what its person has switched on.
(() => {
  const HERE = 3000, TYPING = 2000, APART = 500; // milliseconds between two words
  const STILL = 2500; // after the last key somebody still types
  const ends = new Map(); // topic → timer that clears its line
  const typedAt = new Map(), said = new Map(); // topic → when; the last word: {at, typing}

  const lineOf = (topic) => document.querySelector(`[data-company="${CSS.escape(topic)}"]`);
  const clear = (topic) => { clearTimeout(ends.get(topic)); lineOf(topic)?.replaceChildren(); };
  document.addEventListener("live:company", ({ detail: { topic, ttl, html } }) => {
    const line = lineOf(topic);
    if (!line) return;
    clearTimeout(ends.get(topic));
    ends.set(topic, setTimeout(clear, ttl, topic));
    if (line.innerHTML !== html) line.innerHTML = html;
  });
  document.addEventListener("live:gone", ({ target }) => clear(target.dataset.topic ?? ""));

  // One word at a time: that one is here says also that one does not type any more.
  const say = (topic, now) => {
    const typing = now - (typedAt.get(topic) ?? 0) < STILL;
    const last = said.get(topic) ?? { at: 0, typing: false };
    const gap = typing !== last.typing ? APART : typing ? TYPING : HERE;
    if (now - last.at < gap) return;
    if (live.send({ [typing ? "typing" : "here"]: topic })) said.set(topic, { at: now, typing });
  };
  const tick = () => {
    if (document.hidden) return;
    for (const line of document.querySelectorAll("[data-company]")) say(line.dataset.company, Date.now());
  };
  // What was said before the topic had proved to be ours has not been taken.
  document.addEventListener("live:drawn", () => {
    for (const [topic, { at }] of said) if (Date.now() - at > APART) said.delete(topic);
    tick();
  });
  document.addEventListener("input", ({ target }) => {
    const topic = target.dataset?.typing;
    if (!topic) return;
    typedAt.set(topic, target.value.trim() ? Date.now() : 0);
    tick();
  });
  document.addEventListener("submit", ({ target }) => {
    for (const { dataset } of target.elements) if (dataset.typing) typedAt.set(dataset.typing, 0);
    tick();
  });
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, APART);
})();
