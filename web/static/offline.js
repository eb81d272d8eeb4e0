// Offline: the boards that the service worker keeps, each with the time at which it was true.
(async () => {
  const list = document.getElementById("kept");
  document.getElementById("again").href = location.href;
  window.addEventListener("online", () => location.reload());
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
