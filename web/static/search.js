// The board's search: what was left empty says nothing in the page's address either.
document.getElementById("search")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});

// Who opens a hook with several on it keeps what was asked for.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("#tool-list a[data-alike]");
  if (!link) return;
  const asked = new URLSearchParams(location.search);
  asked.delete("pages");
  asked.set("alike", link.dataset.alike);
  link.search = asked;
});
