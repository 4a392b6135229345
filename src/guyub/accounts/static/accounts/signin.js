// Sign-in pages: fills the form for a demo account, and says in words when a passkey fails.
(() => {
  document.addEventListener("click", (event) => {
    const filler = event.target.closest("[data-fill]");
    if (!filler) return;
    for (const [id, value] of Object.entries(JSON.parse(filler.dataset.fill))) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    const submit = document.querySelector("[data-entrance] button[type=submit]");
    if (submit) { submit.focus(); submit.scrollIntoView({ block: "nearest" }); }
  });

  document.addEventListener("allauth.error", (event) => {
    const note = document.querySelector("[data-passkey-error]");
    if (!note) return;
    event.preventDefault();
    note.hidden = false;
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (window.PublicKeyCredential) return;
    for (const part of document.querySelectorAll("[data-needs-passkey]")) part.hidden = true;
    for (const part of document.querySelectorAll("[data-no-passkey]")) part.hidden = false;
  });

  document.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copy]");
    if (!copier) return;
    const source = document.getElementById(copier.dataset.copy);
    source.select();
    try { await navigator.clipboard.writeText(source.value); copier.textContent = copier.dataset.copied; } catch { /* it stays selected */ }
  });
})();
