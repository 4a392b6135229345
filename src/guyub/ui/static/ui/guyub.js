// The little script every page shares: menus, the folding sidebar, dialogs, upload progress.
(() => {
  const wide = window.matchMedia("(min-width: 901px)");
  const fold = document.querySelector("[data-fold]");
  const settle = () => { if (fold) fold.open = wide.matches; };
  settle();
  wide.addEventListener("change", settle);

  // A table wider than its place scrolls within it, by the arrow keys too.
  const reach = () => {
    for (const wrap of document.querySelectorAll(".table-wrap")) {
      if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0; else wrap.removeAttribute("tabindex");
    }
  };
  reach();
  window.addEventListener("resize", reach);

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const closer = event.target.closest("[data-close-dialog]");
    if (closer) closer.closest("dialog").close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll("[data-menu][open]")) menu.open = false;
  });
  // A dialog that htmx puts on the page opens itself and leaves when it is closed.
  new MutationObserver(() => {
    const dialog = document.querySelector("#dialog-place dialog:not([data-shown])");
    if (!dialog) return;
    dialog.dataset.shown = "1";
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }).observe(document.getElementById("dialog-place"), { childList: true, subtree: true });

  // Forms with data-autosubmit send themselves when a choice changes.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.hasAttribute("data-autosubmit") && event.target.matches("select, [type=checkbox], [type=radio], [type=date]")) form.requestSubmit();
  });

  // A box with data-check-all ticks every box of its fieldset.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-check-all]")) return;
    for (const box of event.target.closest("fieldset").querySelectorAll("[type=checkbox]:not(:disabled)")) box.checked = event.target.checked;
  });

  // Uploads with data-upload show how far they are; without script the form still works.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-upload")) return;
    event.preventDefault();
    const bar = form.querySelector("progress"), note = form.querySelector("[data-upload-note]");
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.upload.addEventListener("progress", (e) => {
      if (e.lengthComputable) { bar.hidden = false; bar.max = e.total; bar.value = e.loaded; note.textContent = Math.round((100 * e.loaded) / e.total) + " %"; }
    });
    request.addEventListener("load", () => {
      if (request.responseURL && request.status < 400 && !request.responseText.includes("data-upload")) { location.assign(request.responseURL); return; }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const fresh = page.querySelector("main"), old = document.querySelector("main");
      if (fresh) old.replaceWith(fresh); else { bar.hidden = true; note.textContent = form.dataset.failed || ""; }
    });
    request.addEventListener("error", () => { bar.hidden = true; note.textContent = form.dataset.failed || ""; });
    request.send(new FormData(form));
  });
})();
