// The scatter of usefulness against robust usefulness. Python side: pages/usefulness/scatter.py.
//
// As in the scrubber, Streamlit calls the default export again on every rerun, into the same parentElement; the slider
// moves points here, with no server run, and only its release, a brush or a click is reported.

const BOX = { width: 460, height: 400, left: 52, right: 12, top: 12, bottom: 44 };
const SIGNS = { weave: "M-5-5 5 5M5-5-5 5", shape: "M-7 0H7M0-7V7" }; // of what was planted
export default lasting(".atlas", (root) => new Atlas(root));

class Atlas {
  constructor(root) {
    this.root = root;
    this.frame = 0;
    this.sent = null; // the frame that the page said last
    this.reported = null; // the frame that the page has not yet answered
    this.panels = [];
    this.listeners = new AbortController();
    const $ = (selector) => root.querySelector(selector);
    this.el = { planted: $(".planted"), range: $(".range"), where: $(".where"), play: $(".play"), panels: $(".panels"), tip: $(".tip"), live: $(".live") };
    const on = (node, event, act) => node.addEventListener(event, act, { signal: this.listeners.signal });
    on(this.el.range, "input", () => { this.root.toggleAttribute("data-moving", true); this.go(Number(this.el.range.value)); });
    on(this.el.range, "change", () => { this.root.removeAttribute("data-moving"); this.settle(); });
    on(this.el.play, "click", () => this.play());
  }

  destroy() {
    clearInterval(this.timer);
    this.listeners.abort();
    this.el.panels.replaceChildren();
  }

  update(data, _, setTriggerValue) {
    this.data = data;
    this.trigger = setTriggerValue;
    // What the person did since the page was sent wins over an older page's echo.
    if (this.reported !== null) this.reported = data.frame === this.reported ? null : this.reported;
    else if (data.frame !== this.sent) this.frame = data.frame;
    this.sent = data.frame;
    this.frame = Math.min(this.frame, data.labels.length - 1);
    this.el.planted.hidden = !data.marks;
    this.el.range.max = data.labels.length - 1;
    if (this.panels.length !== data.panels.length) {
      this.panels = data.panels.map((__, i) => new Panel(this, i));
      this.el.panels.replaceChildren(...this.panels.map((panel) => panel.node));
    }
    this.panels.forEach((panel, i) => panel.show(data.panels[i], data));
    this.go(this.frame);
    this.root.dataset.ready = "yes";
  }

  go(frame) {
    this.frame = frame;
    this.el.range.value = frame;
    const label = this.data.labels[frame];
    this.el.range.setAttribute("aria-valuetext", `epsilon ${label}`);
    this.el.where.textContent = `ε = ${label}`;
    const said = this.panels.map((panel) => panel.draw(frame));
    this.el.live.textContent = `Epsilon ${label}. ${said.join(" ")}`;
  }

  play() {
    clearInterval(this.timer);
    this.go(0);
    this.timer = setInterval(() => {
      if (this.frame + 1 < this.data.labels.length) this.go(this.frame + 1);
      if (this.frame + 1 >= this.data.labels.length) {
        clearInterval(this.timer);
        this.settle();
      }
    }, 900);
  }

  settle() {
    clearInterval(this.timer);
    if (this.frame === (this.reported ?? this.sent)) return;
    this.reported = this.frame;
    this.trigger("frame", this.frame);
  }

  pick(what) {
    clearInterval(this.timer);
    if (this.data.alone) this.hold(what);
    else this.trigger("picked", what);
  }

  /** Mark here what was picked: there is no page behind a page that plays by itself. */
  hold({ panel, box, feature, frame }) {
    const { panels } = this.data;
    panels.forEach((one) => (one.shown = null));
    if (feature !== undefined) panels[panel].shown = feature;
    else this.data.brush = null;
    if (box) {
      const { rho, gamma } = panels[panel];
      const within = (i) => gamma[frame][i] !== null && box[0] <= rho[i] && rho[i] <= box[1] && box[2] <= gamma[frame][i] && gamma[frame][i] <= box[3];
      this.data.brush = { panel, box, frame, features: [...rho.keys()].filter(within) };
    }
    this.go(this.frame);
  }
}

class Panel {
  constructor(atlas, index) {
    this.atlas = atlas;
    this.index = index;
    this.node = document.createElement("figure");
    this.node.className = "panel";
    this.title = this.node.appendChild(document.createElement("h3"));
    this.sub = add(this.node, "p", "sub");
    this.plot = svg("svg", { class: "plot", viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img" });
    this.node.append(this.plot);
    this.count = add(this.node, "p", "count");
    this.back = this.plot.appendChild(svg("g", {}));
    this.bars = this.plot.appendChild(svg("g", {}));
    this.points = this.plot.appendChild(svg("g", {}));
    this.marks = this.plot.appendChild(svg("g", {}));
    this.brush = this.plot.appendChild(svg("rect", { class: "brush", visibility: "hidden" }));
    /** @type {SVGElement[]} Of what was planted, where that is known. */
    this.signs = [];
    this.listen();
  }

  show(panel, data) {
    const first = this.panel?.rho.length !== panel.rho.length;
    this.panel = panel;
    this.title.textContent = panel.title;
    this.sub.textContent = panel.subtitle;
    this.x = scale(data.x, BOX.left, BOX.width - BOX.right);
    this.y = scale(data.y, BOX.height - BOX.bottom, BOX.top);
    this.range = data;
    this.frameWork();
    if (first) {
      this.circles = panel.rho.map((_, i) => {
        const circle = svg("circle", { class: "point", r: 4 });
        circle.dataset.i = i;
        return circle;
      });
      this.points.replaceChildren(...this.circles);
    }
    const kinds = data.marks?.kind ?? [];
    if (this.signs.length !== kinds.length) {
      this.signs = kinds.map((kind) => svg("path", { class: `mark ${kind}`, d: SIGNS[kind] }));
      this.marks.replaceChildren(...this.signs);
    }
  }

  frameWork() {
    const { x, y, range } = this;
    const parts = [];
    const line = (name, x1, y1, x2, y2) => parts.push(svg("line", { class: name, x1, y1, x2, y2 }));
    const word = (name, at, down, text, anchor = "middle") => {
      const node = svg("text", { class: name, x: at, y: down, "text-anchor": anchor });
      node.textContent = text;
      parts.push(node);
    };
    const [left, right, bottom, top] = [BOX.left, BOX.width - BOX.right, BOX.height - BOX.bottom, BOX.top];
    parts.push(svg("rect", { class: "area", x: left, y: top, width: right - left, height: y(0) - top }));
    for (const level of ticks(range.y)) {
      line(level === 0 ? "zero" : "grid", left, y(level), right, y(level));
      word("level", left - 6, y(level) + 4, plain(level), "end");
    }
    for (const level of ticks(range.x)) word("level", x(level), bottom + 16, plain(level));
    line("diagonal", x(0), y(0), x(Math.min(range.x[1], range.y[1])), y(Math.min(range.x[1], range.y[1])));
    line("grid", left, bottom, right, bottom);
    word("word", left + 8, top + 16, "robustly useful", "start");
    word("word", left + 8, bottom - 10, "useful, not robust", "start");
    word("axis", (left + right) / 2, BOX.height - 8, "usefulness ρ");
    const side = svg("text", { class: "axis", transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" });
    side.textContent = "robust usefulness γ";
    parts.push(side);
    this.back.replaceChildren(...parts);
  }

  at(i, frame, of = this.panel) {
    const gamma = of.gamma[frame][i];
    const low = this.range.y[0];
    return { x: this.x(of.rho[i]), y: this.y(Math.max(low, gamma)), gamma };
  }

  draw(frame) {
    const { panel, range } = this;
    const held = range.brush && range.brush.panel === this.index ? range.brush : null;
    this.plot.classList.toggle("brushed", held !== null);
    const searched = panel.gamma[frame].filter((gamma) => gamma !== null).length;
    let robust = 0;
    this.circles.forEach((circle, i) => {
      const { x, y, gamma } = this.at(i, frame);
      circle.toggleAttribute("hidden", gamma === null); // it was not searched
      if (gamma === null) return;
      place(circle, x, y);
      robust += Number(gamma > 0);
      circle.classList.toggle("robust", gamma > 0);
      circle.classList.toggle("off", !panel.on[i]);
      circle.classList.toggle("in", held?.features.includes(i) ?? false);
      circle.classList.toggle("shown", panel.shown === i);
    });
    this.signs.forEach((sign, i) => {
      const { x, y } = this.at(i, frame, range.marks);
      place(sign, x, y);
    });
    this.bars.replaceChildren();
    if (panel.shown !== null && frame > 0 && panel.gamma[frame][panel.shown] !== null) {
      const { x } = this.at(panel.shown, frame);
      const [g, h] = [panel.gamma[frame][panel.shown], panel.half[frame][panel.shown]];
      const clamp = (v) => this.y(Math.max(range.y[0], Math.min(range.y[1], v)));
      this.bars.append(svg("line", { class: "error", x1: x, x2: x, y1: clamp(g - h), y2: clamp(g + h) }));
    }
    this.drawBrush(held);
    this.count.innerHTML = "";
    const number = document.createElement("b");
    number.textContent = String(robust);
    this.count.append(number, ` of ${searched} features robustly useful`);
    const sentence = `${panel.title}: ${robust} of ${searched} features are robustly useful at epsilon ${range.labels[frame]}.`;
    const planted = range.marks ? ` ${range.marks.name.map((name, i) => `${name}: γ = ${range.marks.gamma[frame][i].toFixed(2)}`).join(", ")}.` : "";
    this.plot.setAttribute("aria-label", `Scatter of usefulness against robust usefulness. ${sentence}${planted}`);
    return sentence;
  }

  drawBrush(held) {
    if (this.from) return;
    if (!held || held.frame !== this.atlas.frame) return void this.brush.setAttribute("visibility", "hidden");
    const [x0, x1, y0, y1] = held.box;
    this.place(this.x(x0), this.x(x1), this.y(y0), this.y(y1));
  }

  place(x0, x1, y0, y1) {
    const clip = (v, a, b) => Math.max(a, Math.min(b, v));
    const [l, r] = [Math.min(x0, x1), Math.max(x0, x1)].map((v) => clip(v, BOX.left, BOX.width - BOX.right));
    const [t, b] = [Math.min(y0, y1), Math.max(y0, y1)].map((v) => clip(v, BOX.top, BOX.height - BOX.bottom));
    for (const [name, value] of Object.entries({ x: l, width: r - l, y: t, height: b - t, visibility: "visible" })) {
      this.brush.setAttribute(name, value);
    }
    return [l, r, t, b];
  }

  listen() {
    const on = (event, act) => this.plot.addEventListener(event, act, { signal: this.atlas.listeners.signal });
    const where = (event) => {
      const box = this.plot.getBoundingClientRect();
      const k = BOX.width / box.width;
      return [(event.clientX - box.left) * k, (event.clientY - box.top) * k];
    };
    on("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.from = where(event);
      this.moved = false;
      this.plot.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      const here = where(event);
      if (!this.from) return this.tip(here, event);
      if (Math.hypot(here[0] - this.from[0], here[1] - this.from[1]) > 5) this.moved = true;
      if (this.moved) this.place(this.from[0], here[0], this.from[1], here[1]);
    });
    on("pointerleave", () => { this.atlas.el.tip.hidden = true; });
    on("pointercancel", () => { this.from = null; this.draw(this.atlas.frame); });
    on("pointerup", (event) => {
      if (!this.from) return;
      const here = where(event);
      const from = this.from;
      this.from = null;
      const digits = (v) => Number(v.toFixed(3));
      if (this.moved) {
        const [l, r, t, b] = this.place(from[0], here[0], from[1], here[1]);
        const box = [this.x.inverse(l), this.x.inverse(r), this.y.inverse(b), this.y.inverse(t)].map(digits);
        // Points below the lower edge are drawn at it, and belong to a brush that reaches it.
        if (b >= BOX.height - BOX.bottom - 1) box[2] = -99;
        return this.atlas.pick({ panel: this.index, box, frame: this.atlas.frame });
      }
      const i = this.nearest(here, 12);
      this.atlas.pick(i === null ? { panel: this.index, box: null } : { panel: this.index, feature: i });
    });
  }

  /** @param {number[]} at @param {number} most pixels away */
  nearest([px, py], most, of = this.panel) {
    let best = null;
    let distance = most;
    of.rho.forEach((_, i) => {
      const { x, y, gamma } = this.at(i, this.atlas.frame, of);
      if (gamma === null) return;
      const d = Math.hypot(x - px, y - py);
      if (d < distance) [best, distance] = [i, d];
    });
    return best;
  }

  tip(here, event) {
    const { tip } = this.atlas.el;
    const { panel, atlas } = this;
    const { marks } = atlas.data;
    const planted = marks ? this.nearest(here, 9, marks) : null;
    const i = planted ?? this.nearest(here, 9);
    tip.hidden = i === null;
    if (i === null) return;
    const of = planted === null ? panel : marks;
    const f = atlas.frame;
    tip.textContent = `${planted === null ? `feature ${i}` : `planted: ${marks.name[i]}`}, for “${of.label[i]}”\nρ = ${of.rho[i].toFixed(2)}\n`
      + `γ = ${of.gamma[f][i].toFixed(2)}${f ? ` ± ${of.half[f][i].toFixed(2)}` : ""} at ε = ${atlas.data.labels[f]}`;
    const box = atlas.root.getBoundingClientRect();
    const left = Math.min(event.clientX - box.left + 14, box.width - 190);
    tip.style.left = `${left}px`;
    tip.style.top = `${event.clientY - box.top + 14}px`;
  }
}

function place(node, x, y) {
  node.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  node.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
}

/** A linear map from [a, b] to pixels, with its inverse. */
function scale([a, b], from, to) {
  const map = (v) => from + ((v - a) / (b - a)) * (to - from);
  map.inverse = (p) => a + ((p - from) / (to - from)) * (b - a);
  return map;
}

function ticks([a, b]) {
  const step = [0.1, 0.2, 0.5, 1, 2].find((s) => (b - a) / s <= 8) ?? 5;
  const found = [];
  for (let i = Math.ceil(a / step - 1e-9); i * step <= b + 1e-9; i++) found.push(Number((i * step).toFixed(6)));
  return found;
}

function plain(value) {
  return String(value).replace("-", "−");
}

function add(parent, tag, name) {
  const node = parent.appendChild(document.createElement(tag));
  node.className = name;
  return node;
}
