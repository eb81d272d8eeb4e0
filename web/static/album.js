// The page of a tool's photos: more of them, and their order.
(() => {
  const form = document.getElementById("album-form");
  const grips = () => { for (const grip of document.querySelectorAll("#album [data-grip]")) grip.hidden = false; };
  const redraw = async () => {
    const answer = await fetch(location.pathname).catch(() => null);
    const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const album = page && page.getElementById("album");
    if (album) document.getElementById("album").replaceWith(document.adoptNode(album));
    const fresh = page && page.getElementById("album-form");
    if (form && fresh) form.dataset.most = fresh.dataset.most;
    else if (form && page) form.hidden = true;
    grips();
  };
  document.addEventListener("sorted", async ({ target }) => {
    const ids = [...target.children].map((row) => row.dataset.photo).join(",");
    const answer = await fetch(target.dataset.order, { method: "POST", body: new URLSearchParams({ ids }), headers: { Accept: "application/json" } }).catch(() => null);
    if (answer) await redraw();
  });
  grips();
  if (!form) return;

  const prefix = `album-${document.body.dataset.person}-${form.getAttribute("action")}-`;
  const waiting = window.photos.uploads({
    words: form.dataset,
    place: document.getElementById("album-waiting"),
    action: form.action,
    prefix,
    arrived: (client) => waiting.drop(client),
    changed: (sent) => sent && redraw(),
  });
  const input = form.elements.photo;
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    waiting.take(files, Number(form.dataset.most) - waiting.all.size);
  });
  form.querySelector("button").hidden = true;
  window.shelf.ask("getAllKeys").then(async (keys) => {
    for (const key of keys.filter((one) => String(one).startsWith(prefix))) {
      const client = key.slice(prefix.length), kept = await window.shelf.ask("get", key);
      if (!waiting.all.has(client)) waiting.show(client, kept.photo ?? kept);
    }
    waiting.pump();
  }).catch(() => {});
})();
