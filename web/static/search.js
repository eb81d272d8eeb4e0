// The board's search: what was left empty says nothing in the page's address either.
document.getElementById("search")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
