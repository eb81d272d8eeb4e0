// Offline: the boards that the service worker keeps, each with the time at which it was true.
(async () => {
  const list = document.getElementById("kept");
  document.getElementById("again").href = location.href;
  let leaving = false; // whoever has chosen a board must not be taken back here
  list.addEventListener("click", () => (leaving = true));
  window.addEventListener("online", async () => {
    const there = await fetch("/health", { cache: "no-store" }).then(() => true, () => false); // "online" is a guess
    if (there && !leaving) location.reload();
  });
  if (!("caches" in window)) return;
  const kept = await caches.open("kept");
  for (const request of await kept.keys()) {
    const answer = await kept.match(request);
    const at = new Date(Number(answer.headers.get("x-kept-at")));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const name = page.querySelector(".home span")?.textContent ?? "The board";
    const today = at.toDateString() === new Date().toDateString();
    const time = at.toLocaleString(document.documentElement.lang, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
    const link = document.createElement("a");
    link.href = new URL(request.url).pathname;
    link.textContent = list.dataset.text.replace("{name}", name).replace("{time}", time);
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
})();
