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
    if (status >= 400 || headers.get("HX-Redirect")) return;
    error.textContent = "";
    box.value = box.value.startsWith(sent) ? box.value.slice(sent.length) : box.value;
    id.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    remember();
    box.focus();
    document.getElementById("timeline").scrollTop = 0;
  });

  form.addEventListener("htmx:error", () => {
    error.textContent = "Not sent: no answer. Your words are still here, send them again.";
  });
})();
