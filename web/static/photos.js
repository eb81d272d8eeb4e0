// Photos on their way: made smaller here, each sent by itself with a client id, so that one sent
// twice is one. What could not be sent waits in the browser, over reload and offline, and goes again.
(() => {
  const SIDE = 1600; // pixels
  const AGAIN = [1000, 3000, 8000, 20000]; // milliseconds

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
  const make = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });

  // `words`: the texts, as data of an element; `place`: the list of them; `arrived(client, one)` is
  // called for each that the server has: it may drop it; `changed` when there is one more or less.
  const uploads = ({ words, place, action, prefix, arrived, changed = () => {} }) => {
    const all = new Map(); // client id → {photo, row, bar, line, why, final, sent}
    const { shelf } = window;
    const keep = (client) => {
      const { photo, sent } = all.get(client);
      return shelf.ask("put", { photo, sent, at: Date.now() }, prefix + client).catch(() => {}); // no shelf: it waits in this page only
    };
    const show = (client, photo, sent = false) => {
      const row = make("li", "panel"), image = make("img", ""), bar = make("progress", ""), line = make("p", "soft", words.wordsWaiting);
      row.id = `waits-${client}`;
      if (photo) image.src = URL.createObjectURL(photo);
      image.alt = "";
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", words.wordsWaiting);
      row.append(image, bar, line);
      place.append(row);
      all.set(client, { photo, row, bar, line, sent, why: "" });
      tell(client);
      changed();
    };
    const tell = (client) => {
      const one = all.get(client);
      one.bar.hidden = one.sent;
      one.line.textContent = one.why || (one.sent ? "" : words.wordsWaiting);
      one.line.className = one.why ? "error" : "soft";
      if (!one.why || !one.final) return;
      for (const [text, act] of [[words.wordsAgain, () => { one.why = ""; one.final = false; tell(client); pump(); }], [words.wordsAway, () => drop(client)]]) {
        const button = Object.assign(make("button", "link", text), { type: "button" });
        button.addEventListener("click", act);
        one.line.append(" ", button);
      }
    };
    const drop = (client) => {
      const { row } = all.get(client);
      all.delete(client);
      URL.revokeObjectURL(row.firstChild.src);
      row.remove();
      shelf.ask("delete", prefix + client).catch(() => {});
      changed();
    };

    // --- the sending: one after the other, with how far each is
    const post = (client, { photo, bar }) => new Promise((done) => {
      const body = new FormData(), request = new XMLHttpRequest();
      body.append("client_id", client);
      body.append("photo", photo, "photo.jpg");
      request.open("POST", action);
      request.setRequestHeader("Accept", "application/json");
      request.timeout = 60000;
      request.upload.onprogress = ({ loaded, total }) => { bar.value = total ? loaded / total : 0; };
      request.onload = () => done(request);
      request.onerror = request.ontimeout = request.onabort = () => done(null);
      request.send(body);
    });
    const left = () => [...all].filter(([, one]) => !one.sent);
    let busy = false, tries = 0, timer = 0;
    const pump = async () => {
      clearTimeout(timer);
      if (busy) return;
      busy = true;
      let sent = 0;
      try {
        for (;;) {
          const [client, one] = left().find(([, { final }]) => !final) ?? [];
          if (!client) break;
          const answer = await post(client, one);
          if (!all.has(client)) continue; // left out meanwhile
          if (answer?.status === 201) {
            tries = 0;
            sent++;
            Object.assign(one, { sent: true, why: "" });
            tell(client);
            arrived(client);
            continue;
          }
          const problem = (() => { try { return JSON.parse(answer.responseText); } catch { return {}; } })();
          one.final = Boolean(answer && answer.status < 500 && ![401, 429].includes(answer.status));
          one.why = (answer && [problem.detail, problem.way_out].filter(Boolean).join(" ")) || words.wordsOffline;
          tell(client);
          changed();
          if (one.final) continue;
          timer = setTimeout(pump, 1000 * Number(answer?.getResponseHeader("Retry-After") || 0) || AGAIN[Math.min(tries++, AGAIN.length - 1)]);
          break;
        }
      } finally { busy = false; }
      changed(sent);
    };
    // No more than there is room for.
    const take = async (files, room) => {
      if (files.length > room) window.live?.say(words.wordsMany);
      for (const file of files.slice(0, Math.max(0, room))) {
        const client = shelf.uuid();
        show(client, await smaller(file));
        keep(client);
      }
      pump();
    };
    window.addEventListener("online", pump);
    return { all, left, show, keep, drop, take, pump };
  };
  window.photos = { uploads, make };
})();
