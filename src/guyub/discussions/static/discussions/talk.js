// The bell that hears of news, and names offered after an @ in a message.
(() => {
  const bell = document.querySelector("[data-news]");
  let stream = null, newest = null;

  const hear = (event) => {
    const news = JSON.parse(event.data), count = bell.querySelector("[data-unread]");
    count.textContent = news.unread;
    count.hidden = !news.unread;
    const first = news.newest[0];
    // New since this page opened, and about the record that it shows.
    if (first && newest !== null && first.id !== newest && first.url.split("#")[0] === location.pathname) {
      for (const note of document.querySelectorAll("[data-talk-news]")) note.hidden = false;
    }
    newest = first ? first.id : 0;
  };
  // A page that nobody looks at asks for nothing.
  const listen = () => {
    if (document.hidden) { if (stream) stream.close(); stream = null; return; }
    if (stream) return;
    stream = new EventSource(bell.dataset.news);
    stream.addEventListener("kabar", hear);
  };
  if (bell && window.EventSource) {
    listen();
    document.addEventListener("visibilitychange", listen);
  }

  let asked = 0;
  const listOf = (area) => area.parentElement.querySelector("[role=listbox]");
  const close = (area) => { const list = listOf(area); if (list) list.remove(); area.removeAttribute("aria-activedescendant"); };
  const begun = (area) => /(?:^|[^\w@])@([\w.+-]*)$/.exec(area.value.slice(0, area.selectionStart));
  const choose = (area, option) => {
    const start = area.selectionStart - begun(area)[1].length;
    area.setRangeText(option.dataset.name + " ", start, area.selectionStart, "end");
    close(area);
    area.focus();
  };
  document.addEventListener("input", async (event) => {
    const area = event.target;
    if (!area.matches("[data-mentions]")) return;
    const found = begun(area), turn = ++asked;
    if (!found) { close(area); return; }
    const response = await fetch(area.dataset.mentions + "?q=" + encodeURIComponent(found[1]));
    const html = response.ok ? (await response.text()).trim() : "";
    if (turn !== asked) return;
    close(area);
    if (!html) return;
    const list = document.createElement("ul");
    list.setAttribute("role", "listbox");
    list.className = "mentions";
    list.innerHTML = html;
    list.addEventListener("mousedown", (down) => {
      const option = down.target.closest("[role=option]");
      down.preventDefault();
      if (option) choose(area, option);
    });
    area.after(list);
  });
  document.addEventListener("keydown", (event) => {
    const area = event.target, list = area.matches("[data-mentions]") ? listOf(area) : null;
    if (!list) return;
    const options = [...list.children], at = options.findIndex((o) => o.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = (at + step + options.length) % options.length;
      options[at].setAttribute("aria-selected", "false");
      options[next].setAttribute("aria-selected", "true");
      area.setAttribute("aria-activedescendant", options[next].id);
    } else if (event.key === "Enter" || event.key === "Tab") choose(area, options[at]);
    else if (event.key === "Escape") close(area);
    else return;
    event.preventDefault();
  });
  document.addEventListener("focusout", (event) => { if (event.target.matches("[data-mentions]")) close(event.target); });
})();
