// Tells the server which notices have been on the screen: only while the page is looked at.
(() => {
  const form = document.getElementById("notices-seen");
  if (!form) return;
  form.hidden = true;
  let told = 0, waiting = 0;
  const tell = async () => {
    waiting = 0;
    const newest = Number(document.getElementById("notices")?.dataset.newest);
    if (document.hidden || !(newest > told)) return;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams({ up_to: newest }) });
    if (answer.ok) told = newest;
  };
  const soon = () => (waiting ||= setTimeout(tell, 1500)); // long enough to see what is new
  new MutationObserver(soon).observe(document.getElementById("main"), { subtree: true, childList: true, attributes: true, attributeFilter: ["data-newest"] });
  document.addEventListener("visibilitychange", soon);
  soon();
})();
