// Listings: a frame names which regions are in a list, in order ("live:items" on the list, from
// live.js). What is missing here comes by watching it. Nothing moves while somebody points or types
// in the list, or has half a search in its box: then "3 new" waits.
(() => {
  let waiting = null; // the newest frame that has not been shown, and its list
  const leaving = new Set(); // emptied, but their places are kept

  const name = (one) => one.dataset.topic;
  const cards = (list) => [...list.children].filter((one) => one.dataset.topic);
  const order = (names) => names.join(" ");

  const busy = (list) => {
    const at = document.activeElement;
    const searching = at?.type === "search" && at.value !== "" && at.value !== at.defaultValue;
    return searching || list.contains(at) || list.matches(":hover");
  };

  document.addEventListener("live:items", ({ target: list, detail: frame }) => {
    for (const [sort, number] of Object.entries(frame.counts ?? {})) {
      const here = document.querySelector(`[data-count="${CSS.escape(sort)}"]`);
      if (here && here.textContent !== String(number)) here.textContent = number;
    }
    for (const more of list.querySelectorAll(":scope > [data-more]")) more.hidden = !frame.counts?.["+"];
    forget();
    const button = document.getElementById("newcomers");
    const here = cards(list).map(name);
    if (order(here) === order(frame.items)) return;
    if (!button || !busy(list)) return show(list, frame.items);
    const fresh = frame.items.filter((one) => !here.includes(one)).length;
    waiting = { list, ...frame };
    button.textContent = fresh ? (button.dataset.text || "{n} new").replace("{n}", fresh) : "The wall has changed";
    button.hidden = false;
    live.say(button.textContent);
  });

  // What goes while somebody points or types in the list leaves an empty place, until they do not.
  document.addEventListener("live:gone", (event) => {
    const one = event.target, list = one.parentElement.closest("[data-topic]");
    if (!list || one.hidden || !busy(list)) return;
    event.preventDefault();
    Object.assign(one.style, { minHeight: `${one.offsetHeight}px`, visibility: "hidden" });
    leaving.add(one);
  });
  const close = () => {
    for (const one of leaving) {
      const back = !("gone" in one.dataset), list = one.parentElement?.closest("[data-topic]");
      if (!back && list && busy(list)) continue;
      leaving.delete(one);
      Object.assign(one.style, { minHeight: "", visibility: "" });
      if (!back) one.hidden = true;
    }
  };
  for (const what of ["pointerout", "focusout"]) {
    document.addEventListener(what, () => leaving.size && setTimeout(close)); // once it is elsewhere
  }

  document.addEventListener("click", ({ target }) => {
    if (target.id !== "newcomers" || !waiting) return;
    const { list, items } = waiting;
    forget();
    show(list, items);
  });

  const forget = () => {
    waiting = null;
    const button = document.getElementById("newcomers");
    if (button) button.hidden = true;
  };
  // A list that has come anew, for another search say, has in it what belongs there.
  const stale = ({ list, topic, version }) =>
    !list.isConnected || name(list) !== topic || live.versionOf(list) > version;
  new MutationObserver(() => waiting && stale(waiting) && forget())
    .observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-topic", "data-version"] });

  // A placeholder stands for a region that is not here yet: live.js watches it like any other.
  const placeholder = (topic) => {
    const one = document.createElement("div");
    Object.assign(one.dataset, { topic, version: 0 });
    one.hidden = true;
    return one;
  };

  const show = (list, items) => {
    const here = new Map(cards(list).map((one) => [name(one), one]));
    for (const [topic, one] of here) if (!items.includes(topic)) one.remove();
    let last = null; // only what is out of place is moved: the rest keeps focus and scrolling
    for (const topic of items) {
      const one = here.get(topic) ?? placeholder(topic);
      const next = last ? last.nextElementSibling : cards(list)[0] ?? null;
      if (next !== one) list.insertBefore(one, next);
      last = one;
    }
    const empty = list.querySelector(":scope > [data-empty]");
    if (empty) empty.hidden = items.length > 0;
  };
})();
