// Keys of the review queue: a letter presses the button that bears it.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const letter = event.key.toLowerCase();
  if (!/^[a-z]$/.test(letter)) return;
  const target = document.querySelector(`[data-key="${letter}"]`);
  if (!target) return;
  event.preventDefault();
  // Once only: the page is on its way to the next pair.
  document.querySelectorAll("[data-key]").forEach((other) => other.removeAttribute("data-key"));
  target.click();
});
