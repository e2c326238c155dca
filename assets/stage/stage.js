// Presenter mode in the browser. Its style sheet (pages/ui/stage.py) hides what is not a picture while the page's root element
// has no data-controls; here a key, or the pointer at the upper or left edge, brings it out.

const KEY = "m"; // c and r are Streamlit's own
const EDGE = 4; // px
const COOKIE = "frog_left"; // as pages/ui/luggage.py reads it
const WAIT_MS = 2500;
const CHOICE = "robust-frog-theme"; // in localStorage: "Dark" or "Light", as Streamlit writes it

export default lasting(".stage", (root) => new Stage(root));

class Stage {
  constructor(root) {
    this.root = root;
    this.on = false;
    this.listeners = new AbortController();
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: this.listeners.signal });
    on(document, "keydown", (event) => {
      if (!this.on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event)) return;
      if (event.key.toLowerCase() === KEY) this.show(!this.shown);
      else if (event.key === "Escape" && this.shown) this.show(false);
    });
    on(document, "pointermove", (event) => {
      if (!this.on || event.pointerType === "touch" || this.shown) return;
      if (event.clientX < EDGE || event.clientY < EDGE) this.show(true, true);
    });
    // Who came by the edge leaves by a click on the stage itself; what was clicked there has its turn first.
    on(document, "click", ({ target }) => {
      if (this.byEdge && target.closest("[data-testid=stMain]") && !target.closest("button, a, label, input")) this.show(false);
    });
    on(root.querySelector(".theme"), "click", () => this.choose(this.dark ? "Light" : "Dark"));
  }

  get shown() {
    return "controls" in document.documentElement.dataset;
  }

  get dark() {
    return this.root.dataset.theme === "dark";
  }

  update({ on, left }, _, trigger) {
    this.on = on;
    this.trigger = trigger;
    if (left && left === this.leaving) this.reload();
    this.root.toggleAttribute("data-on", on);
    if (!on) this.show(false);
    this.root.querySelector(".theme").textContent = this.dark ? "Light stage" : "Dark stage";
    const chosen = localStorage.getItem(CHOICE);
    const other = chosen && (chosen === "Dark") !== this.dark;
    if (on && other && sessionStorage.getItem(CHOICE) !== chosen) this.choose(chosen); // once: a loop would be worse than a colour
  }

  show(shown, byEdge = false) {
    this.byEdge = shown && byEdge;
    const state = document.documentElement.dataset;
    if (shown === "controls" in state) return;
    if (shown) state.controls = "yes";
    else delete state.controls;
    if (this.on) this.root.querySelector("[role=status]").textContent = shown ? "Controls shown" : "Controls hidden";
    window.dispatchEvent(new Event("resize")); // components fit themselves to what room there is
  }

  /**
   * Streamlit reads the theme once, when it starts. The view itself is in the address; what is not there (an upload, a lecture of
   * one's own) the server puts aside for the session that comes, under a word that only this tab has.
   */
  choose(theme) {
    if (this.leaving) return;
    localStorage.setItem(CHOICE, theme);
    sessionStorage.setItem(CHOICE, theme);
    localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(theme));
    this.leaving = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.trigger?.("leaving", this.leaving);
    setTimeout(() => this.reload(), WAIT_MS); // a server that is busy may lose the upload, not the choice
  }

  reload() {
    document.cookie = cookieText(COOKIE, this.leaving, "path=/; max-age=60", "Strict");
    location.reload();
  }

  destroy() {
    this.listeners.abort();
    delete document.documentElement.dataset.controls;
  }
}

function typing(event) {
  return event.composedPath()[0].closest?.("input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable=true]");
}
