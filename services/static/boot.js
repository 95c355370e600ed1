/* Before the first paint: the reader's language, theme and density; what the address asks for comes first, as on the wall.
   Classic script, so that it runs at once. */
(() => {
  const root = document.documentElement;
  const kept = (key) => {
    try {
      return localStorage.getItem(`tram.${key}`);
    } catch {
      return null;
    }
  };
  const asked = new URLSearchParams(location.search);
  const one = (value, choices, otherwise) => (choices.includes(value) ? value : otherwise);
  const dark = !matchMedia("(prefers-color-scheme: light)").matches;
  const contrast = matchMedia("(prefers-contrast: more)").matches;
  const small = matchMedia("(max-width: 720px), (pointer: coarse)").matches;
  root.lang = one(asked.get("lang") ?? kept("lang"), ["vi", "en"], "vi");
  root.dataset.theme = one(asked.get("theme") ?? kept("theme"), ["dark", "light", "contrast"], contrast ? "contrast" : dark ? "dark" : "light");
  root.dataset.density = one(kept("density"), ["desk", "wall", "touch"], small ? "touch" : "desk");
})();
