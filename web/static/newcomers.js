// Lists that a page asks for itself: live.js says when ("live:ask" on the list), the page's own
// address says what. Newcomers slide in unless somebody points or types there: then "3 new" waits.
(() => {
  const asking = new Map();
  const addressOf = (list) => list.dataset.ask || location.href;

  document.addEventListener("live:ask", ({ target, detail }) => {
    const { topic } = target.dataset;
    clearTimeout(asking.get(topic));
    const again = () => target.dispatchEvent(new CustomEvent("live:ask", { bubbles: true, detail: { within: 5000 } }));
    asking.set(topic, setTimeout(() => ask(topic).catch(again), Math.random() * detail.within));
  });

  const ask = async (topic) => {
    const list = live.region(topic);
    if (!list) return;
    const address = addressOf(list);
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = live.region(topic), next = now && page.getElementById(now.id);
    if (!next || addressOf(now) !== address) return; // other filters meanwhile: they asked themselves
    const newcomers = [...next.children].filter((one) => one.id && !document.getElementById(one.id));
    const busy = now.matches(":hover") || now.contains(document.activeElement);
    const button = document.getElementById("newcomers");
    for (const count of page.querySelectorAll("[data-count]")) {
      const here = document.querySelector(`[data-count="${CSS.escape(count.dataset.count)}"]`);
      if (here) here.textContent = count.textContent;
    }
    const order = (list) => [...list.children].map((one) => one.id).join(" ");
    if (!button || !busy || order(next) === order(now)) return live.inTurn(() => show(topic, next, button));
    const words = newcomers.length ? button.dataset.text || "{n} new" : "The wall has changed";
    button.textContent = words.replace("{n}", newcomers.length);
    button.onclick = () => live.inTurn(() => show(topic, next, button));
    button.hidden = false;
  };

  const show = async (topic, next, button) => {
    const list = live.region(topic);
    if (button) button.hidden = true;
    if (!list || live.versionOf(next) < live.versionOf(list)) return;
    for (const one of next.querySelectorAll("[data-topic]")) {
      const here = live.region(one.dataset.topic); // a push may have been quicker than this answer
      if (here && live.versionOf(here) > live.versionOf(one)) one.replaceWith(here.cloneNode(true));
    }
    const before = new Set([...list.children].map((one) => one.id));
    await live.morph(list, next.outerHTML);
    for (const one of live.region(topic)?.children ?? []) if (one.id && !before.has(one.id)) live.freshen(one);
  };
})();
