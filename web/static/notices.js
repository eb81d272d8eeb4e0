// Says to the server what has been on the screen, only while the page is looked at: all notices on
// their own page, and on the page of a loan or a tool what the bell would tell about it.
(() => {
  const SEEN_AFTER = 1500; // milliseconds: long enough to see what is new
  const form = document.getElementById("notices-seen");
  if (form) form.hidden = true;
  let told = 0, waiting = 0, shown = "";

  const post = (address, fields) => fetch(address, { method: "POST", body: new URLSearchParams(fields) });

  const tellAll = async () => {
    const newest = Number(document.getElementById("notices")?.dataset.newest);
    if (!(newest > told)) return;
    const answer = await post(form.action, { up_to: newest });
    if (answer.ok) told = newest;
  };

  const tellOne = async (bell) => {
    const paths = bell?.dataset.paths?.split(" ") ?? [];
    const here = location.pathname;
    if (!paths.includes(here) || shown === bell.dataset.version) return;
    const version = bell.dataset.version;
    const home = here.split("/").slice(0, 3).join("/");
    const answer = await post(`${home}/notices/seen`, { about: here });
    if (answer.ok) shown = version;
  };

  const tell = async () => {
    waiting = 0;
    if (document.hidden) return;
    try {
      if (form) await tellAll();
      await tellOne(document.getElementById("nav-bell"));
    } catch {
      // Offline: the next change, or the next page, says it.
    }
  };
  const soon = () => (waiting ||= setTimeout(tell, SEEN_AFTER));
  new MutationObserver(soon).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-newest", "data-paths"] });
  document.addEventListener("visibilitychange", soon);
  soon();
})();
