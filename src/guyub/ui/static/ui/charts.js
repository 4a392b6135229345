// Draws the charts of a page. The drawing library is large, so it is fetched only once a chart comes
// near the viewport. Expressions are interpreted ("ast"), because our content policy forbids eval;
// the libraries' own style elements, which it forbids too, are left out and stand in guyub.css.
(() => {
  if (window.guyubCharts) { window.guyubCharts(); return; }
  let library;
  const fetchScript = (src) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.async = false; // keep their order: each needs the one before it
    script.onload = resolve;
    script.onerror = () => reject(new Error(src));
    document.head.append(script);
  });
  const draw = async (figure) => {
    if (figure.dataset.state) return;
    figure.dataset.state = "loading";
    const place = figure.querySelector("[data-drawing]");
    try {
      library ??= Promise.all(figure.dataset.scripts.split(" ").map(fetchScript));
      await library;
      const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      await window.vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { theme: "custom", disableDefaultStyle: true } });
      // The place is one picture with a name, and its numbers stand in a table: its marks need no names.
      place.querySelector("svg").setAttribute("aria-hidden", "true");
      figure.dataset.state = "drawn";
    } catch (error) {
      figure.dataset.state = "failed";
      library = undefined; // the next chart tries again
      place.textContent = figure.dataset.failed;
      place.style.minHeight = "0";
      figure.querySelector("details").open = true;
      console.error(error);
    }
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "200px" });
  const watch = () => {
    for (const figure of document.querySelectorAll("[data-chart]:not([data-state])")) {
      const place = figure.querySelector("[data-drawing]");
      // Room for the drawing, so that nothing jumps when it comes; the policy forbids style attributes.
      place.style.minHeight = `${place.dataset.height}px`;
      near.observe(figure);
    }
  };
  window.guyubCharts = watch;
  watch();
  document.addEventListener("htmx:after:swap", watch);
  // Paper cannot wait for a drawing: print the numbers of whatever is not drawn yet.
  window.addEventListener("beforeprint", () => {
    for (const figure of document.querySelectorAll("[data-chart]:not([data-state='drawn'])")) figure.querySelector("details").open = true;
  });
})();
