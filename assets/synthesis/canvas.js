// Hold to morph. Python side: pages/synthesis/canvas.py mounts it, pages/synthesis/live.py is at the other end of its
// socket and owns the pictures; here they are shown, painted on, and filmed.

const SWATCHES = {
  "#ffffff": "white", "#111111": "black", "#8a8f94": "grey", "#7a4a25": "brown", "#d9a866": "sand", "#c63d2f": "red",
  "#f0a83a": "orange", "#3b7d2a": "green", "#8fbf5a": "light green", "#2f6fb3": "blue", "#9cc9ec": "light blue",
};
const REACHES = ["1", "2", "4", "6", "8", "12", "none"];
const FRAME_MS = 40;
const FILM = 480; // frames, as in core.synthesis.morph

const played = new Set(); // tokens whose film has played by itself once

export default lasting(".morph", (root) => new Morph(root));

class Morph {
  constructor(root) {
    this.root = root;
    this.pictures = []; // one Uint8ClampedArray (H W 3) a model
    this.known = []; // what was last said of each picture
    this.notes = new WeakMap(); // frame -> what is known of it
    this.film = [];
    this.shown = 0; // frame in sight
    this.held = null; // class index
    this.tool = "brush";
    this.ink = [59, 125, 42];
    this.cursor = [16, 16]; // of the keyboard
    this.listeners = new AbortController();
    this.link = new Line(() => `${appOf(this.data.page)}/_morph/${this.data.token}`, {
      opened: () => this.complain(""),
      hear: (message) => this.hear(message),
      lost: (sentence) => {
        this.ready(false);
        this.letGo();
        this.root.removeAttribute("data-busy");
        this.complain(sentence);
      },
    });
    const $ = (selector) => root.querySelector(selector);
    this.el = {
      stages: $(".stages"), classes: $(".classes"), starts: $(".starts"), swatches: $(".swatches"), colour: $(".colour input"),
      size: $(".size input"), undo: $(".undo"), anchor: $(".anchor"), reach: $(".reach"), rate: $(".rate"), play: $(".play"),
      range: $(".range"), where: $(".where"), problem: $(".problem"), live: $(".live"), template: $(".stage-template"),
    };
    this.listen();
  }

  destroy() {
    this.listeners.abort();
    this.pause();
    this.link.close();
    this.empty();
  }

  empty() {
    for (const name of ["stages", "classes", "starts", "swatches"]) this.el[name].replaceChildren();
    this.el.reach.querySelectorAll("label").forEach((label) => label.remove());
  }

  update(data, _, setTriggerValue) {
    const fresh = this.data?.token !== data.token;
    this.trigger = setTriggerValue;
    const starters = JSON.stringify(data.starts) !== JSON.stringify(this.data?.starts);
    const other = JSON.stringify([data.classes, data.models.length]) !== JSON.stringify([this.data?.classes, this.data?.models.length]);
    if (other) {
      if (this.data) this.letGo();
      this.empty(); // of another world, or of as many models
    }
    this.data = data;
    if (other) {
      this.buildControls();
      this.buildStages();
    }
    this.stages.forEach((stage, k) => {
      stage.querySelector(".title").textContent = data.models[k].title;
      stage.querySelector(".subtitle").textContent = data.models[k].subtitle;
    });
    if (starters || other) this.buildStarts();
    if (fresh) this.link.open();
    else if (this.version !== data.version) this.send({ do: "film" }); // the page has put another picture on the board
    this.version = data.version;
  }

  // --- the socket ---------------------------------------------------------------------------------------------

  send(message) {
    this.link.send(message);
  }

  async hear(message) {
    switch (message.is) {
      case "film":
        this.film = await filmOf(message, this.data.size, this.data.models.length);
        this.film.forEach((pictures, i) => message.notes[i] && this.notes.set(pictures, message.notes[i]));
        break;
      case "frame":
        this.send({ do: "seen" });
        this.take(message);
        this.record();
        this.measure(message);
        this.show(this.film.length - 1);
        break;
      case "board":
        this.take(message);
        if (this.replaced) this.film = [];
        if (this.replaced || this.painted) this.record();
        if (this.film.length !== message.film) this.send({ do: "film" });
        this.replaced = this.painted = false;
        this.el.undo.disabled = !message.undo;
        this.ready(true);
        if (!played.has(this.data.token)) this.open();
        else this.show(this.film.length - 1);
        this.report();
        break;
      case "released":
        this.root.toggleAttribute("data-busy", this.held !== null);
        this.take(message);
        if (this.film.length) this.film[this.film.length - 1] = this.pictures; // with what is known of it now
        this.el.undo.disabled = false;
        this.root.dataset.steps = message.steps;
        this.root.dataset.rate = (message.steps / Math.max(1e-3, message.seconds)).toFixed(1);
        this.el.rate.textContent = `${message.steps} steps, ${this.root.dataset.rate} a second`;
        this.report();
        break;
      case "problem":
        this.complain(message.text);
        this.letGo();
        this.root.removeAttribute("data-busy");
        break;
    }
  }

  /** Take over pictures and what is known about them. */
  take({ pixels, says, far }) {
    this.pictures = pixels.map(unpack);
    this.known = this.stages.map((_, k) => ({
      says: says[k].says ?? this.known[k]?.says,
      judge: says[k].judge ?? this.known[k]?.judge, // it does not look at every frame
    }));
    this.notes.set(this.pictures, { says: this.known, far });
    this.tellAll({ says: this.known, far });
  }

  tellAll({ says, far }) {
    this.stages.forEach((stage, k) => this.tell(stage, k, says[k], far[k]));
  }

  measure({ step, ms }) {
    const now = performance.now();
    if (step === 1) this.began = now;
    else this.el.rate.textContent = `step ${step}, ${((1000 * (step - 1)) / (now - this.began)).toFixed(0)} a second (${ms.toFixed(0)} ms each)`;
  }

  ready(is) {
    this.root.toggleAttribute("data-ready", is);
    this.el.classes.querySelectorAll("button").forEach((button) => (button.disabled = !is));
  }

  report() {
    this.root.dataset.film = this.film.length;
    const said = this.stages.map((stage) => stage.querySelector("canvas").getAttribute("aria-label")).join(" ");
    this.el.live.textContent = said;
    const state = `${this.film.length} ${said}`;
    if (this.reported !== undefined && this.reported !== state) this.trigger("changed", Date.now());
    this.reported = state;
  }

  complain(text) {
    this.el.problem.textContent = text;
    this.el.problem.hidden = !text;
  }

  // --- holding ------------------------------------------------------------------------------------------------

  hold(target, by) {
    if (this.held !== null || !this.root.hasAttribute("data-ready") || !this.buttons[target]) return; // no such class
    this.pause();
    this.latest();
    this.held = target;
    this.by = by; // taking the focus from another button lets go of nothing that the pointer holds
    this.root.setAttribute("data-holding", "");
    this.root.setAttribute("data-busy", ""); // until the other side says that it has stopped
    this.buttons[target].setAttribute("data-held", "");
    const reach = this.root.querySelector("[name=reach]:checked").value;
    const step = Number(this.root.querySelector("[name=pace]:checked").value);
    this.send({ do: "hold", target, eps: reach === "none" ? null : Number(reach), step });
  }

  letGo() {
    if (this.held === null) return;
    this.buttons[this.held].removeAttribute("data-held");
    this.root.removeAttribute("data-holding");
    this.held = null;
    this.send({ do: "release" });
  }

  // --- painting -----------------------------------------------------------------------------------------------

  latest() {
    if (this.film.length && this.shown !== this.film.length - 1) this.show(this.film.length - 1);
  }

  /** Put a round brush down at a place in pixels, in all pictures; its edge is soft by one pixel. */
  dab(x, y) {
    const radius = Number(this.el.size.value) / 2;
    const size = this.data.size;
    for (let row = Math.max(0, Math.floor(y - radius - 1)); row <= Math.min(size - 1, y + radius + 1); row++) {
      for (let column = Math.max(0, Math.floor(x - radius - 1)); column <= Math.min(size - 1, x + radius + 1); column++) {
        const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
        if (!cover) continue;
        for (const picture of this.pictures) {
          const at = 3 * (row * size + column);
          for (let c = 0; c < 3; c++) picture[at + c] += cover * (this.ink[c] - picture[at + c]);
        }
      }
    }
  }

  line(from, to) {
    const n = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    for (let i = 1; i <= n; i++) this.dab(from[0] + ((to[0] - from[0]) * i) / n, from[1] + ((to[1] - from[1]) * i) / n);
  }

  /** Fill what is alike and connected, in each picture by itself. */
  fill(x, y) {
    const size = this.data.size;
    for (const picture of this.pictures) {
      const first = Math.floor(y) * size + Math.floor(x);
      const old = [...picture.slice(3 * first, 3 * first + 3)];
      const alike = (at) => [0, 1, 2].every((c) => Math.abs(picture[3 * at + c] - old[c]) <= 32);
      const seen = new Uint8Array(size * size);
      const queue = [first];
      seen[first] = 1;
      while (queue.length) {
        const at = queue.pop();
        const column = at % size;
        for (const next of [at - size, at + size, column > 0 ? at - 1 : -1, column < size - 1 ? at + 1 : -1]) {
          if (next < 0 || next >= size * size || seen[next] || !alike(next)) continue;
          seen[next] = 1;
          queue.push(next);
        }
      }
      seen.forEach((is, at) => is && picture.set(this.ink, 3 * at));
    }
  }

  pick(k, x, y) {
    const at = 3 * (Math.floor(y) * this.data.size + Math.floor(x));
    this.setInk([...this.pictures[k].slice(at, at + 3)]);
    this.setTool("brush");
  }

  setInk(rgb) {
    this.ink = rgb;
    this.el.colour.value = `#${rgb.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
    for (const button of this.el.swatches.children) button.setAttribute("aria-pressed", String(button.value === this.el.colour.value));
  }

  setTool(tool) {
    this.tool = tool;
    this.root.querySelector(`[name=tool][value=${tool}]`).checked = true;
  }

  begin(k, x, y) {
    if (this.held !== null || !this.root.hasAttribute("data-ready")) return false;
    this.pause();
    this.latest();
    if (this.tool === "pick") return this.pick(k, x, y), false;
    this.pictures = this.pictures.map((picture) => picture.slice()); // those in the film stay as they are
    if (this.tool === "fill") {
      this.fill(x, y);
      this.draw();
      this.finish();
      return false;
    }
    this.dab(x, y);
    this.draw();
    return true;
  }

  finish() {
    this.painted = true;
    this.send({ do: "paint", pixels: this.pictures.map(pack) });
  }

  // --- film ---------------------------------------------------------------------------------------------------

  record() {
    this.film.push(this.pictures);
    if (this.film.length <= FILM) return;
    const last = this.film.at(-1);
    this.film = this.film.filter((_, i) => i % 2 === 0);
    if (this.film.at(-1) !== last) this.film.push(last);
  }

  /** Open: play the film that is there, once, unless the person wants no motion. */
  open() {
    played.add(this.data.token);
    this.show(this.film.length - 1);
    if (this.data.play && this.film.length > 2 && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  play() {
    if (this.film.length < 2) return;
    this.root.setAttribute("data-playing", "");
    this.el.play.setAttribute("aria-label", "Pause the film");
    let at = this.shown >= this.film.length - 1 ? 0 : this.shown;
    this.show(at);
    this.player = setInterval(() => {
      at++;
      this.show(Math.min(at, this.film.length - 1));
      if (at >= this.film.length - 1) this.pause();
    }, FRAME_MS);
  }

  pause() {
    clearInterval(this.player);
    this.root.removeAttribute("data-playing");
    this.el.play.setAttribute("aria-label", "Play the film");
  }

  show(frame) {
    if (!this.film.length) return;
    this.shown = Math.max(0, Math.min(frame, this.film.length - 1));
    const { range, where, play } = this.el;
    range.max = this.film.length - 1;
    range.value = this.shown;
    range.setAttribute("aria-valuetext", `frame ${this.shown + 1} of ${this.film.length}`);
    range.disabled = play.disabled = this.film.length < 2;
    where.textContent = `frame ${this.shown + 1} of ${this.film.length}`;
    let noted = this.shown; // the nearest frame of which something is known
    while (noted > 0 && !this.notes.has(this.film[noted])) noted--;
    const note = this.notes.get(this.film[noted]);
    if (note) this.tellAll({ says: note.says.map((said, k) => ({ ...this.known[k], ...present(said) })), far: note.far });
    // A stroke is not in the film until the other side has it.
    this.draw(this.shown === this.film.length - 1 ? this.pictures : this.film[this.shown]);
  }

  draw(pictures = this.pictures) {
    pictures.forEach((picture, k) => this.stages[k] && paint(this.stages[k].querySelector("canvas"), picture, this.data.size));
  }

  // --- what is known ------------------------------------------------------------------------------------------

  tell(stage, k, { says, judge }, far) {
    const [name, p] = says[0];
    stage.querySelector(".name").textContent = name;
    stage.querySelector(".percent").textContent = percent(p);
    const bars = stage.querySelector(".bars");
    while (bars.children.length < says.length) bars.append(bar());
    says.forEach(([label, value], i) => {
      const [words, rail, number] = bars.children[i].children;
      words.textContent = label;
      rail.firstChild.style.transform = `scaleX(${value})`;
      number.textContent = percent(value);
      bars.children[i].toggleAttribute("data-held", this.held !== null && label === this.data.classes[this.held]);
    });
    const facts = [["moved (L2)", far.toFixed(2)]];
    if (judge) facts.unshift([`${this.data.judge} says`, `${judge[0][0]} ${percent(judge[0][1])}`]);
    stage.querySelector(".facts").replaceChildren(
      ...facts.map(([term, value]) => {
        const pair = document.createElement("div");
        pair.append(text("dt", term), text("dd", value));
        return pair;
      }));
    const title = this.data.models[k].title;
    const third = judge ? `; ${this.data.judge} says ${judge[0][0]}` : "";
    stage.querySelector("canvas").setAttribute("aria-label",
      `${title}'s picture, ${this.data.size} by ${this.data.size} pixels: it says ${name}, ${percent(p)}${third}; ${far.toFixed(1)} from the anchor.`);
  }

  // --- building -----------------------------------------------------------------------------------------------

  buildControls() {
    const { classes, swatches, reach } = this.el;
    this.buttons = this.data.classes.map((name, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.disabled = !this.root.hasAttribute("data-ready");
      button.append(text("span", name), ...(i < 10 ? [text("kbd", `key ${(i + 1) % 10}`)] : []));
      button.setAttribute("aria-label", `Hold: ${name}`);
      button.dataset.name = name;
      classes.append(button);
      return button;
    });
    for (const [colour, name] of Object.entries(SWATCHES)) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", value: colour, title: name });
      button.setAttribute("aria-label", name);
      button.style.background = colour;
      swatches.append(button);
    }
    for (const value of REACHES) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "reach", value, checked: value === this.data.eps });
      label.append(input, text("span", value === "none" ? "no limit" : value));
      reach.append(label);
    }
    this.root.querySelector(`[name=pace][value="${this.data.step}"]`).checked = true;
    this.setInk(this.ink);
  }

  buildStages() {
    const { stages, template } = this.el;
    this.stages = this.data.models.map((_, k) => {
      const stage = template.content.firstElementChild.cloneNode(true);
      stages.append(stage);
      this.listenStage(stage, k);
      return stage;
    });
    stages.style.setProperty("--columns", this.stages.length);
  }

  buildStarts() {
    this.el.starts.replaceChildren(
      ...this.data.starts.map(({ name, label, pixels }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.title = `Start from: ${label}`;
        const canvas = document.createElement("canvas");
        paint(canvas, unpack(pixels), this.data.size);
        button.append(canvas, text("span", label));
        button.addEventListener("click", () => {
          this.letGo();
          this.pause();
          this.replaced = true;
          this.send({ do: "start", pixels, name });
        });
        return button;
      }));
  }

  listen() {
    const { classes, colour, swatches, size, undo, anchor, play, range } = this.el;
    const { signal } = this.listeners;
    const on = (target, types, handle) =>
      types.split(" ").forEach((type) => target.addEventListener(type, handle, { signal }));

    // Hold, by mouse, touch or key; whatever takes the pointer or the focus away lets go.
    const which = (event) => this.buttons?.indexOf(event.target.closest(".classes button")) ?? -1;
    on(classes, "pointerdown", (event) => {
      const target = which(event);
      if (target < 0 || event.button) return;
      event.target.setPointerCapture?.(event.pointerId);
      this.hold(target, "pointer");
    });
    on(classes, "pointerup pointercancel lostpointercapture", () => this.letGo());
    on(classes, "contextmenu", (event) => event.preventDefault());
    on(classes, "keydown", (event) => {
      if ((event.key !== " " && event.key !== "Enter") || which(event) < 0) return;
      event.preventDefault();
      if (!event.repeat) this.hold(which(event), "key");
    });
    on(classes, "keyup focusout", (event) => {
      const key = event.type === "focusout" || event.key === " " || event.key === "Enter";
      if (key && this.by === "key") this.letGo();
    });
    on(window, "keydown", (event) => {
      const target = event.composedPath()[0];
      const typing = target.matches?.("textarea, select, [contenteditable], input:not([type=radio]):not([type=range]):not([type=color])");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9]$/.test(event.key)) return;
      if (!event.repeat) this.hold((Number(event.key) + 9) % 10, event.key);
    });
    on(window, "keyup", (event) => event.key === this.by && this.letGo());
    on(window, "blur", () => this.letGo());
    on(document, "visibilitychange", () => document.hidden && this.letGo());

    on(this.root, "change", ({ target }) => target.name === "tool" && (this.tool = target.value));
    on(colour, "input", () => this.setInk([1, 3, 5].map((i) => parseInt(colour.value.slice(i, i + 2), 16))));
    on(swatches, "click", ({ target }) => target.value && this.setInk([1, 3, 5].map((i) => parseInt(target.value.slice(i, i + 2), 16))));
    on(size, "input", () => size.setAttribute("aria-valuetext", `${size.value} pixels`));
    on(undo, "click", () => {
      this.pause();
      this.send({ do: "undo" });
    });
    on(anchor, "click", () => this.send({ do: "anchor" }));
    on(play, "click", () => (this.root.hasAttribute("data-playing") ? this.pause() : this.play()));
    on(range, "input", () => {
      this.pause();
      this.show(Number(range.value));
    });
  }

  listenStage(stage, k) {
    const canvas = stage.querySelector("canvas");
    const cursor = stage.querySelector(".cursor");
    const { signal } = this.listeners;
    const on = (types, handle) => types.split(" ").forEach((type) => canvas.addEventListener(type, handle, { signal }));
    const place = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      const scale = this.data.size / box.width;
      const inside = (v) => Math.max(0, Math.min(this.data.size - 0.01, v));
      return [inside((clientX - box.left) * scale), inside((clientY - box.top) * scale)];
    };
    const ring = (x, y) => {
      const unit = 100 / this.data.size;
      const wide = this.tool === "brush" ? Number(this.el.size.value) : 1;
      Object.assign(cursor.style, { left: `${x * unit}%`, top: `${y * unit}%`, width: `${wide * unit}%`, height: `${wide * unit}%` });
      cursor.hidden = false;
    };
    let last = null;
    on("pointerdown", (event) => {
      if (event.button) return;
      const at = place(event);
      if (!this.begin(k, ...at)) return;
      canvas.setPointerCapture(event.pointerId);
      last = at;
    });
    on("pointermove", (event) => {
      const at = place(event);
      ring(...at);
      if (!last) return;
      for (const between of event.getCoalescedEvents?.() ?? []) this.line(last, (last = place(between)));
      this.line(last, (last = at));
      this.draw();
    });
    on("pointerup pointercancel lostpointercapture", () => {
      if (last) this.finish();
      last = null;
    });
    on("pointerleave", () => (cursor.hidden = true));
    on("keydown", (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const size = this.data.size;
      if (moves[event.key]) {
        this.cursor = this.cursor.map((v, i) => Math.max(0.5, Math.min(size - 0.5, v + moves[event.key][i] * (event.shiftKey ? 4 : 1))));
        ring(...this.cursor);
      } else if (event.key === " " || event.key === "Enter") {
        if (!event.repeat && this.begin(k, ...this.cursor)) this.finish();
      } else return;
      event.preventDefault();
    });
    on("focus", () => canvas.matches(":focus-visible") && ring(...this.cursor));
    on("blur", () => (cursor.hidden = true));
  }
}

// --- pixels -----------------------------------------------------------------------------------------------------

/** Cut the film out of its sprite: rows are frames, columns are models. */
async function filmOf({ frames, sprite }, size, models) {
  const image = new Image();
  image.src = `data:image/png;base64,${sprite}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: size * models, height: size * frames });
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  context.drawImage(image, 0, 0);
  const pixels = (f, k) => {
    const { data } = context.getImageData(k * size, f * size, size, size);
    return data.filter((_, i) => i % 4 < 3); // without alpha
  };
  return Array.from({ length: frames }, (_f, f) => Array.from({ length: models }, (_k, k) => pixels(f, k)));
}

// --- text -------------------------------------------------------------------------------------------------------

const present = (said) => Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null && value !== undefined));

function bar() {
  const item = document.createElement("li");
  const rail = document.createElement("div");
  rail.className = "rail";
  rail.append(document.createElement("span"));
  item.append(text("span", ""), rail, text("span", ""));
  return item;
}
