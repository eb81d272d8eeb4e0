// Photos of a tool: made smaller here, each sent by itself with a client id, so that one sent twice
// is one. What could not be sent waits in the browser, over reload and offline, and goes out again.
(() => {
  const form = document.getElementById("album-form"), place = document.getElementById("album-waiting");
  const SIDE = 1600; // pixels
  const AGAIN = [1000, 3000, 8000, 20000], SHELF_WITHIN = 5000; // milliseconds

  // --- putting them in order by dragging; without a mouse there are buttons
  let dragged = null;
  const rows = () => [...document.querySelectorAll("[data-photo]")];
  const settle = async (list) => {
    const body = new URLSearchParams({ ids: rows().map((row) => row.dataset.photo).join(",") });
    const answer = await fetch(list.dataset.order, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    if (answer) await redraw();
  };
  const ready = () => rows().forEach((row) => { row.draggable = true; });
  document.addEventListener("dragstart", ({ target }) => { dragged = target.closest?.("[data-photo]"); });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest?.("[data-photo]");
    if (!over) return;
    event.preventDefault();
    if (over === dragged) return;
    const all = rows();
    over[all.indexOf(over) > all.indexOf(dragged) ? "after" : "before"](dragged);
  });
  document.addEventListener("dragend", () => {
    if (dragged) settle(dragged.parentElement);
    dragged = null;
  });
  const redraw = async () => {
    const answer = await fetch(location.pathname).catch(() => null);
    const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const album = page && page.getElementById("album");
    if (album) document.getElementById("album").replaceWith(document.adoptNode(album));
    const fresh = page && page.getElementById("album-form");
    if (form && fresh) form.dataset.most = fresh.dataset.most;
    else if (form && page) form.hidden = true;
    ready();
  };
  ready();
  if (!form) return;

  // --- the keeping: beside what waits in the rooms, so that it goes when its owner signs out
  const words = form.dataset, prefix = `album-${document.body.dataset.person}-${form.getAttribute("action")}-`;
  const waiting = new Map(); // client id → {photo, row, bar, why}
  const onShelf = async (act, ...given) => {
    const db = await new Promise((done, failed) => {
      const asked = indexedDB.open("outbox", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("photos");
      asked.onsuccess = () => done(asked.result);
      asked.onerror = asked.onblocked = failed;
    });
    try {
      const asked = db.transaction("photos", "readwrite").objectStore("photos")[act](...given);
      return await new Promise((done, failed) => { asked.onsuccess = () => done(asked.result); asked.onerror = failed; });
    } finally { db.close(); }
  };
  // Some browsers refuse at once, others never answer.
  const shelf = (...asked) => Promise.race([onShelf(...asked), new Promise((_, failed) => setTimeout(failed, SHELF_WITHIN))]);
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // A phone's 12 megapixels are more than anybody sees. What cannot be read here is for the server to refuse.
  const smaller = async (file) => {
    try {
      const image = await createImageBitmap(file, { imageOrientation: "from-image" });
      const by = Math.min(1, SIDE / Math.max(image.width, image.height));
      if (by === 1 && file.size < 500000) return file;
      const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * by), height: Math.round(image.height * by) });
      const ground = canvas.getContext("2d");
      ground.fillStyle = "#fff";
      ground.fillRect(0, 0, canvas.width, canvas.height);
      ground.drawImage(image, 0, 0, canvas.width, canvas.height);
      const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.86));
      return made && made.size < file.size ? made : file;
    } catch { return file; }
  };

  // --- what is seen of it
  const make = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const show = (client, photo) => {
    const row = make("li", "panel"), image = make("img", ""), bar = make("progress", ""), line = make("p", "soft", words.wordsWaiting);
    image.src = URL.createObjectURL(photo);
    image.alt = "";
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", words.wordsWaiting);
    row.append(image, bar, line);
    place.append(row);
    waiting.set(client, { photo, row, bar, line, why: "" });
  };
  const tell = (one, client) => {
    one.line.textContent = one.why || words.wordsWaiting;
    one.line.className = one.why ? "error" : "soft";
    if (!one.why || !one.final) return;
    for (const [text, act] of [[words.wordsAgain, () => { one.why = ""; one.final = false; tell(one, client); pump(); }], [words.wordsAway, () => drop(client)]]) {
      const button = Object.assign(make("button", "link", text), { type: "button" });
      button.addEventListener("click", act);
      one.line.append(" ", button);
    }
  };
  const drop = (client) => {
    const one = waiting.get(client);
    waiting.delete(client);
    URL.revokeObjectURL(one.row.firstChild.src);
    one.row.remove();
    shelf("delete", prefix + client).catch(() => {});
  };

  // --- the sending: one after the other, with how far each is
  const post = (client, { photo, bar }) => new Promise((done) => {
    const body = new FormData(), request = new XMLHttpRequest();
    body.append("client_id", client);
    body.append("photo", photo, "photo.jpg");
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.timeout = 60000;
    request.upload.onprogress = ({ loaded, total }) => { bar.value = total ? loaded / total : 0; };
    request.onload = () => done(request);
    request.onerror = request.ontimeout = request.onabort = () => done(null);
    request.send(body);
  });
  let busy = false, tries = 0, timer = 0;
  const pump = async () => {
    clearTimeout(timer);
    if (busy) return;
    busy = true;
    let sent = 0;
    try {
      for (;;) {
        const [client, one] = [...waiting].find(([, { final }]) => !final) ?? [];
        if (!client) break;
        const answer = await post(client, one);
        if (answer?.status === 201) {
          tries = 0;
          sent++;
          drop(client);
          continue;
        }
        const problem = (() => { try { return JSON.parse(answer.responseText); } catch { return {}; } })();
        one.final = Boolean(answer && answer.status < 500 && ![401, 429].includes(answer.status));
        one.why = (answer && [problem.detail, problem.way_out].filter(Boolean).join(" ")) || words.wordsOffline;
        tell(one, client);
        if (one.final) continue;
        timer = setTimeout(pump, 1000 * Number(answer?.getResponseHeader("Retry-After") || 0) || AGAIN[Math.min(tries++, AGAIN.length - 1)]);
        break;
      }
    } finally { busy = false; }
    if (sent) await redraw();
  };
  const take = async (files) => {
    const room = Math.max(0, Number(words.most) - waiting.size);
    if (files.length > room) window.live?.say(words.wordsMany);
    for (const file of files.slice(0, room)) {
      const client = uuid(), photo = await smaller(file);
      show(client, photo);
      shelf("put", photo, prefix + client).catch(() => {}); // no shelf: it waits in this page only
    }
    pump();
  };
  const input = form.elements.photo;
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    take(files);
  });
  form.querySelector("button").hidden = true;
  window.addEventListener("online", pump);
  shelf("getAllKeys").then(async (keys) => {
    for (const key of keys.filter((one) => String(one).startsWith(prefix))) {
      const client = key.slice(prefix.length);
      if (!waiting.has(client)) show(client, await shelf("get", key));
    }
    pump();
  }).catch(() => {});
})();
