// A random UUID; crypto.randomUUID is missing where a page came over plain HTTP from the LAN.
const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

// Tells the server what has been on the screen: only while the page is looked at, and only news.
(() => {
  const room = document.querySelector("[data-seen]");
  if (!room) return;
  let told = 0, waiting = 0;
  const tell = async () => {
    waiting = 0;
    const shown = Number(document.getElementById(room.id).dataset.version);
    if (document.hidden || shown <= told) return;
    const answer = await fetch(room.dataset.seen, { method: "POST", body: new URLSearchParams({ up_to: shown }) });
    if (answer.ok) told = shown;
  };
  const soon = () => (waiting ||= setTimeout(tell, 300));
  new MutationObserver(soon).observe(room.parentElement, { attributes: true, childList: true, subtree: true, attributeFilter: ["data-version"] });
  document.addEventListener("visibilitychange", soon);
  soon();
})();

// The box of a room: keeps what was typed over anything that happens, sends with Enter where
// there is a keyboard, and gives each line one client id, so that a retry is not a second line.
(() => {
  const form = document.getElementById("composer");
  if (!form) return;
  const box = form.elements.body;
  const id = form.elements.client_id;
  const error = document.getElementById("composer-error");
  const draft = `draft-${form.dataset.draft}`;

  const remember = () => {
    if (box.value) sessionStorage.setItem(draft, JSON.stringify([id.value, box.value]));
    else sessionStorage.removeItem(draft);
  };

  const unsaid = JSON.parse(sessionStorage.getItem(draft) ?? "null");
  if (unsaid && !box.value) [id.value, box.value] = unsaid;
  box.addEventListener("input", remember);

  box.addEventListener("keydown", (event) => {
    const alone = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.isComposing;
    if (event.key !== "Enter" || !alone || !matchMedia("(hover: hover)").matches) return;
    event.preventDefault();
    if (box.value.trim()) form.requestSubmit();
  });

  let sent = "";
  form.addEventListener("htmx:before:request", () => {
    sent = box.value;
  });

  form.addEventListener("htmx:after:request", (event) => {
    const { status, headers } = event.detail.ctx.response;
    if (status === 409) id.value = uuid(); // the words before these have arrived: these are new
    if (status >= 400 || headers.get("HX-Redirect")) return remember();
    error.textContent = "";
    box.value = box.value.startsWith(sent) ? box.value.slice(sent.length) : box.value;
    id.value = uuid();
    remember();
    box.focus();
    document.getElementById("timeline").scrollTop = 0;
  });

  form.addEventListener("htmx:error", () => {
    error.textContent = "Not sent: no answer. Your words are still here, send them again.";
  });
})();
