// Where photos wait until the server has them: one database of the browser, which goes with its
// writer's session (shell.js). And the random names by which what is sent twice is one.
(() => {
  const WITHIN = 5000; // milliseconds
  // A random UUID; crypto.randomUUID is missing where a page came over plain HTTP from the LAN.
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const opened = () => new Promise((done, failed) => {
    const asked = indexedDB.open("outbox", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("photos");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = asked.onblocked = failed;
  });
  const act = async (what, ...given) => {
    const db = await opened();
    try {
      const asked = db.transaction("photos", "readwrite").objectStore("photos")[what](...given);
      return await new Promise((done, failed) => { asked.onsuccess = () => done(asked.result); asked.onerror = failed; });
    } finally { db.close(); }
  };
  // Some browsers refuse at once, others never answer.
  const ask = (...asked) => Promise.race([act(...asked), new Promise((_, failed) => setTimeout(failed, WITHIN))]);
  window.shelf = { uuid, ask };
})();
