// The plane of the Gaussian page: two models side by side, everything draggable. Python side: pages/gaussian/stage.py,
// which says what every field of `data` means. The formulas are in math.js, which stands above this in the same module.

const [HALF_WIDTH, HALF_HEIGHT] = [20, 10];
const BALL = 1.5; // Mahalanobis radius of the balls that are drawn, as in figure 4
const NEAREST = 30; // px between a mean and the handles of its axes, at least
const VARIANCES = [0.01, 100];
const MODELS = [
  ["standard", "Maximum likelihood", "learns the covariance of the data, Σ"],
  ["robust", "Robust", "learns the covariance after the adversary's moves, Σᵣ of theorem 2"],
];
/** @type {[string, string, (value: number) => string][]} */
const READOUTS = [
  ["angle", "gradient to the classes' direction", (v) => `${v.toFixed(1)}°`],
  ["clean", "accuracy", (v) => percentage(v)],
  ["attacked", "accuracy, points moved ε toward the line", (v) => percentage(v)],
  ["kappa", "condition number of its Σ", (v) => short(v)],
  ["loss", "loss, nats", (v) => v.toFixed(2)],
  ["attacked_loss", "loss under the adversary, nats", (v) => v.toFixed(2)],
];

export default lasting(".gaussian", (root) => new Stage(root));

class Stage {
  constructor(root) {
    this.root = root;
    root.stage = this; // for the tests
    this.told = []; // reports that have not come back, oldest first
    this.attack = 0; // how far the points have moved, 0 to 1
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.listeners = new AbortController();
    const $ = (selector) => root.querySelector(selector);
    this.el = {
      panels: $(".panels"), template: $("template"), range: $(".range"), value: $(".value"), play: $(".play"),
      attack: $(".attack"), live: $(".live"),
    };
    this.el.panels.replaceChildren();
    this.panels = MODELS.map((words) => new Panel(this, ...words));
    this.listen();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(root);
  }

  destroy() {
    this.listeners.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.ticker);
    cancelAnimationFrame(this.mover);
    clearTimeout(this.reporter);
    this.el.panels.replaceChildren();
  }

  update(data, setStateValue) {
    this.send = setStateValue;
    this.draws = data.draws;
    this.fixed = { shape: data.shape, budget: data.budget };
    const said = JSON.stringify(data.values);
    const echo = this.told.indexOf(said);
    if (echo >= 0) this.told.splice(0, echo + 1); // what was reported comes back, perhaps after newer reports
    else if (said !== this.sent && !this.dragging) {
      this.told = [];
      this.values = { ...data.values };
    }
    this.sent = said;
    this.values ??= { ...data.values };
    this.draw();
    this.root.dataset.ready = "yes";
  }

  // --- moving ---------------------------------------------------------------------------------------------------

  /** Change some values, rounded and kept in their ranges, and draw. */
  change(values) {
    const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
    const digits = { mu1: 2, mu2: 2, probe1: 2, probe2: 2, angle: 1, eps: 2 };
    const ranges = { mu1: [-20, 20], mu2: [-10, 10], probe1: [-20, 20], probe2: [-10, 10], angle: [-180, 180], eps: [0, 12] };
    for (const [name, value] of Object.entries(values)) {
      if (!Number.isFinite(value)) continue;
      const [low, high] = ranges[name] ?? VARIANCES;
      const rounded = name in digits ? value.toFixed(digits[name]) : value.toPrecision(3);
      this.values[name] = clamp(Number(rounded), low, high) + 0; // no -0
    }
    this.draw();
  }

  report(delay = 0) {
    clearTimeout(this.reporter);
    const tell = () => {
      const said = JSON.stringify(this.values);
      if (said === (this.told.at(-1) ?? this.sent)) return;
      this.told.push(said);
      this.send("values", { ...this.values });
      this.announce();
    };
    if (delay) this.reporter = setTimeout(tell, delay);
    else tell();
  }

  play() {
    if (this.values.eps >= 12) this.change({ eps: 0 });
    this.root.toggleAttribute("data-playing", true);
    this.el.play.setAttribute("aria-label", "Pause");
    let last = performance.now();
    const tick = (now) => {
      this.exact = (this.exact ?? this.values.eps) + ((now - last) / 1000) * 1.6;
      last = now;
      this.change({ eps: this.exact });
      if (this.values.eps >= 12) return this.pause();
      this.ticker = requestAnimationFrame(tick);
    };
    this.ticker = requestAnimationFrame(tick);
  }

  pause() {
    if (!this.root.hasAttribute("data-playing")) return;
    cancelAnimationFrame(this.ticker);
    this.exact = undefined;
    this.root.removeAttribute("data-playing");
    this.el.play.setAttribute("aria-label", "Play");
    this.report();
  }

  toggleAttack() {
    const on = this.el.attack.getAttribute("aria-pressed") !== "true";
    this.el.attack.setAttribute("aria-pressed", String(on));
    cancelAnimationFrame(this.mover);
    if (this.calm) {
      this.attack = on ? 1 : 0;
      return this.draw();
    }
    let last = performance.now();
    const step = (now) => {
      this.attack = Math.max(0, Math.min(1, this.attack + ((on ? 1 : -1) * (now - last)) / 700));
      last = now;
      this.draw();
      if (this.attack !== (on ? 1 : 0)) this.mover = requestAnimationFrame(step);
    };
    this.mover = requestAnimationFrame(step);
  }

  listen() {
    const on = (target, types, handle) =>
      types.split(" ").forEach((type) => target.addEventListener(type, handle, { signal: this.listeners.signal }));
    const { range, play, attack } = this.el;
    on(range, "input", () => {
      this.pause();
      this.change({ eps: Number(range.value) });
    });
    on(range, "change", () => this.report(300));
    on(play, "click", () => (this.root.hasAttribute("data-playing") ? this.pause() : this.play()));
    on(attack, "click", () => this.toggleAttack());
    for (const button of this.root.querySelectorAll("[data-layer]")) {
      on(button, "click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        this.root.toggleAttribute(`data-no-${button.dataset.layer}`, !shown);
      });
    }
    for (const panel of this.panels) {
      for (const [name, node] of Object.entries(panel.handles)) {
        on(node, "pointerdown", (event) => this.grab(event, panel, name, node));
        on(node, "keydown", (event) => this.nudge(event, name));
      }
    }
  }

  grab(event, panel, name, node) {
    event.preventDefault();
    node.focus({ preventScroll: true, focusVisible: false });
    node.setPointerCapture(event.pointerId);
    this.pause();
    this.dragging = true;
    const off = minus(panel.at(event), panel.places[name]);
    const slack = name.startsWith("axis") ? panel.slack[name] : 0;
    const move = (later) => this.moveTo(name, minus(panel.at(later), off), slack);
    const end = () => {
      node.removeEventListener("pointermove", move);
      this.dragging = false;
      this.report();
    };
    node.addEventListener("pointermove", move);
    node.addEventListener("lostpointercapture", end, { once: true });
  }

  moveTo(name, [x, y], slack) {
    const { mu1, mu2, angle: degrees } = this.values;
    const spread = (length) => (Math.max(0, length - slack) / BALL) ** 2;
    if (name === "mean-plus") this.change({ mu1: x, mu2: y });
    else if (name === "mean-minus") this.change({ mu1: -x, mu2: -y });
    else if (name === "probe") this.change({ probe1: x, probe2: y });
    else if (name === "axis1") {
      const [a, b] = [x - mu1, y - mu2];
      this.change({ var1: spread(Math.hypot(a, b)), angle: Math.round((Math.atan2(b, a) * 180) / Math.PI) });
    } else this.change({ var2: spread(turn([x - mu1, y - mu2], -degrees)[1]) });
  }

  nudge(event, name) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const v = this.values;
    const by = event.shiftKey ? 0.1 : 0.5;
    const [dx, dy] = (arrows[event.key] ?? [0, 0]).map((d) => d * by);
    if (name.startsWith("axis")) {
      const turned = { PageUp: 5, PageDown: -5 }[event.key];
      if (turned) this.change({ angle: ((v.angle + turned + 540) % 360) - 180 });
      else if (dx || dy) {
        const variance = name === "axis1" ? "var1" : "var2";
        this.change({ [variance]: v[variance] * (event.shiftKey ? 1.02 : 1.2) ** Math.sign(dx + dy) });
      } else return;
    } else if (!(dx || dy)) return;
    else if (name === "mean-plus") this.change({ mu1: v.mu1 + dx, mu2: v.mu2 + dy });
    else if (name === "mean-minus") this.change({ mu1: v.mu1 - dx, mu2: v.mu2 - dy });
    else this.change({ probe1: v.probe1 + dx, probe2: v.probe2 + dy });
    event.preventDefault();
    this.report(500);
  }

  // --- computing ------------------------------------------------------------------------------------------------

  /** Everything that is shown in numbers; the tests read it too. */
  compute() {
    const { mu1, mu2, var1, var2, angle: degrees, eps, probe1, probe2 } = this.values;
    const { shape, budget } = this.fixed;
    const [truth, mu] = [[var1, var2], turn([mu1, mu2], -degrees)];
    const ellipse = shape === "ellipse";
    const models = { standard: truth, robust: robustFit(truth, eps) };
    const numbers = {};
    for (const [name, model] of Object.entries(models)) {
      const w = turn(mu.map((c, i) => c / model[i]), degrees);
      const linear = linearAdversary(model, truth, eps);
      const move = (v) => (budget === "each" ? worstMove(v, model, eps) : v.map((c, i) => c * linear[i]));
      // The probe belongs to the class on whose side of the middle it stands.
      const y = probe1 * mu1 + probe2 * mu2 >= 0 ? 1 : -1;
      const v = minus(turn([y * probe1, y * probe2], -degrees), mu);
      numbers[name] = {
        variances: model, w, slope: -w[0] / w[1], angle: angle(mu, model), kappa: Math.max(...model) / Math.min(...model),
        clean: accuracy(mu, model, truth, 0, ellipse), attacked: accuracy(mu, model, truth, eps, ellipse),
        loss: loss(model, truth, 0), attacked_loss: loss(model, truth, eps),
        probe: turn(move(v).map((c) => y * c), degrees), move,
      };
    }
    return { truth, mu, numbers };
  }

  draw() {
    if (!this.values) return;
    const { values, el } = this;
    const found = this.compute();
    this.root.numbers = found.numbers;
    if (Number(el.range.value) !== values.eps) el.range.value = values.eps;
    el.range.setAttribute("aria-valuetext", `epsilon ${values.eps}`);
    el.value.textContent = `ε = ${values.eps.toFixed(2)}`;
    for (const panel of this.panels) panel.draw(values, found, found.numbers[panel.name]);
  }

  announce() {
    const { standard, robust } = this.root.numbers;
    this.el.live.textContent =
      `Epsilon ${this.values.eps}. Angle between gradient and classes: maximum likelihood ${standard.angle.toFixed(0)} degrees, ` +
      `robust ${robust.angle.toFixed(0)} degrees.`;
  }
}

class Panel {
  constructor(stage, name, title, subtitle) {
    this.stage = stage;
    this.name = name;
    this.places = {}; // of the handles, in the plane
    this.slack = {}; // how much further out a handle stands than what it sets
    const node = stage.el.template.content.firstElementChild.cloneNode(true);
    node.dataset.model = name;
    node.querySelector(".title").textContent = title;
    node.querySelector(".subtitle").textContent = subtitle;
    this.canvas = node.querySelector("canvas");
    this.svg = node.querySelector("svg");
    this.title = title;
    const list = node.querySelector(".readouts");
    this.readouts = READOUTS.map(([key, words, write]) => {
      const value = document.createElement("dd");
      const pair = document.createElement("div");
      pair.append(Object.assign(document.createElement("dt"), { textContent: words }), value);
      list.append(pair);
      return { key, node: value, write };
    });
    this.nodes = {};
    const add = (key, tag, cls = key) => (this.nodes[key] = this.svg.appendChild(svg(tag, { class: cls })));
    add("horizontal", "line", "axis");
    add("vertical", "line", "axis");
    this.ticks = [-15, -10, -5, 5, 10, 15].map((x) => [x, 0]).concat([-5, 5].map((y) => [0, y])).map(([x, y]) => {
      const label = this.svg.appendChild(svg("text", { class: "tick", "text-anchor": y ? "start" : "middle" }));
      label.textContent = String(x || y).replace("-", "−");
      return { x, y, label };
    });
    add("ball-plus", "ellipse", "ball plus");
    add("ball-minus", "ellipse", "ball minus");
    add("round-plus", "circle", "round plus");
    add("round-minus", "circle", "round minus");
    add("line", "line");
    add("between", "line");
    add("arc", "path");
    add("gradient", "line");
    add("gradient-tip", "path");
    add("between-tip", "path");
    add("reach", "circle");
    add("move", "line");
    add("move-tip", "path");
    add("angle", "text");
    this.handles = {};
    const handles = name === "standard" ? ["mean-minus", "mean-plus", "axis1", "axis2", "probe"] : ["mean-minus", "mean-plus", "probe"];
    for (const key of handles) {
      const group = this.svg.appendChild(svg("g", { class: `handle ${key}`, tabindex: 0, role: "slider" }));
      group.append(svg("circle", { class: "grip", r: 18 }));
      group.append(
        key.startsWith("axis") ? svg("rect", { class: "mark", x: -7, y: -7, width: 14, height: 14 })
          : key === "probe" ? svg("path", { class: "mark", d: "M0 -7L7 0L0 7L-7 0Z" })
            : svg("circle", { class: "mark", r: 9 }));
      this.handles[key] = group;
    }
    stage.el.panels.append(node);
  }

  /** Where in the plane a pointer is. */
  at(event) {
    const box = this.svg.getBoundingClientRect();
    const k = box.width / (2 * HALF_WIDTH);
    return [(event.clientX - box.left) / k - HALF_WIDTH, HALF_HEIGHT - (event.clientY - box.top) / k];
  }

  draw(values, { truth, mu }, side) {
    const width = this.svg.clientWidth;
    if (!width) return;
    const k = width / (2 * HALF_WIDTH);
    /** @param {number[]} at */
    const px = ([x, y]) => [(x + HALF_WIDTH) * k, (HALF_HEIGHT - y) * k];
    const set = (key, attributes) => Object.entries(attributes).forEach(([n, v]) => this.nodes[key].setAttribute(n, v));
    const segment = (key, from, to) => {
      const [[x1, y1], [x2, y2]] = [px(from), px(to)];
      set(key, { x1, y1, x2, y2 });
    };
    const tip = (key, from, to) => {
      const [a, b] = [px(from), px(to)];
      const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
      const size = Math.min(12, length);
      const [ux, uy] = [(b[0] - a[0]) / (length || 1), (b[1] - a[1]) / (length || 1)];
      const base = [b[0] - size * ux, b[1] - size * uy];
      set(key, { d: `M${b} L${[base[0] - 0.5 * size * uy, base[1] + 0.5 * size * ux]} L${[base[0] + 0.5 * size * uy, base[1] - 0.5 * size * ux]}Z` });
    };
    const { mu1, mu2, angle: degrees, eps, probe1, probe2 } = values;
    const same = mu1 === 0 && mu2 === 0;

    segment("horizontal", [-HALF_WIDTH, 0], [HALF_WIDTH, 0]);
    segment("vertical", [0, -HALF_HEIGHT], [0, HALF_HEIGHT]);
    for (const { x, y, label } of this.ticks) {
      const [left, top] = px(y ? [-HALF_WIDTH, y] : [x, -HALF_HEIGHT]);
      label.setAttribute("x", left + (y ? 6 : 0));
      label.setAttribute("y", top + (y ? 4 : -6));
    }

    const [ra, rb] = side.variances.map((s) => BALL * Math.sqrt(s) * k);
    for (const [key, centre] of Object.entries({ plus: [mu1, mu2], minus: [-mu1, -mu2] })) {
      const [cx, cy] = px(centre);
      set(`ball-${key}`, { cx, cy, rx: ra, ry: rb, transform: `rotate(${-degrees} ${cx} ${cy})` });
      set(`round-${key}`, { cx, cy, r: Math.sqrt(ra * rb) });
    }

    // The line through 0, the gradient at right angles to it, and the direction between the classes.
    const w = side.w.map((c) => c / (Math.hypot(...side.w) || 1));
    const far = 50;
    segment("line", [-far * w[1], far * w[0]], [far * w[1], -far * w[0]]);
    segment("between", [-mu1, -mu2], [mu1, mu2]);
    const unit = [mu1, mu2].map((c) => c / (Math.hypot(mu1, mu2) || 1));
    const arrow = w.map((c) => 6 * c);
    segment("gradient", [0, 0], w.map((c) => 5.5 * c));
    tip("gradient-tip", [0, 0], arrow);
    tip("between-tip", [0, 0], unit.map((c) => 6 * c));
    const [a, b] = [px(w.map((c) => 3 * c)), px(unit.map((c) => 3 * c))];
    const sweep = w[0] * unit[1] - w[1] * unit[0] > 0 ? 0 : 1;
    set("arc", { d: side.angle > 0.5 ? `M${a} A${3 * k} ${3 * k} 0 0 ${sweep} ${b}` : "" });
    const middle = [w[0] + unit[0], w[1] + unit[1]];
    const [tx, ty] = px(middle.map((c) => (4.6 * c) / (Math.hypot(...middle) || 1)));
    set("angle", { x: tx, y: ty + 5, "text-anchor": "middle" });
    this.nodes.angle.textContent = same ? "" : `${side.angle.toFixed(0)}°`;

    const probe = [probe1, probe2];
    const [cx, cy] = px(probe);
    set("reach", { cx, cy, r: eps * k });
    const target = [probe1 + side.probe[0], probe2 + side.probe[1]];
    segment("move", probe, target);
    tip("move-tip", probe, target);

    this.place("mean-plus", [mu1, mu2], px, `Mean of the positive class, ${coordinates([mu1, mu2])}`);
    this.place("mean-minus", [-mu1, -mu2], px, `Mean of the negative class, ${coordinates([-mu1, -mu2])}`);
    this.place("probe", probe, px, `Point whose worst move is drawn, ${coordinates(probe)}`);
    for (const [i, key] of ["axis1", "axis2"].entries()) {
      if (!this.handles[key]) continue;
      const reach = BALL * Math.sqrt(truth[i]);
      const shown = Math.max(reach, NEAREST / k);
      this.slack[key] = shown - reach;
      const [dx, dy] = turn(i ? [0, shown] : [shown, 0], degrees);
      this.place(key, [mu1 + dx, mu2 + dy], px, `Variance along axis ${i + 1}, ${short(truth[i])}, at ${degrees} degrees`);
    }
    this.scatter(px, k, values, mu, truth, side, w);
    for (const { key, node, write } of this.readouts) node.textContent = Number.isFinite(side[key]) ? write(side[key]) : "–";
    this.svg.setAttribute("aria-label",
      `${this.title}: its gradient stands ${same ? "nowhere: both classes have one mean" : `${side.angle.toFixed(0)} degrees`} ` +
      `from the direction between the classes; accuracy ${percentage(side.clean)}, ${percentage(side.attacked)} when every point may move by ${eps}.`);
  }

  place(key, at, px, label) {
    this.places[key] = at;
    const node = this.handles[key];
    node.setAttribute("transform", `translate(${px(at)})`);
    node.setAttribute("aria-label", label);
    node.setAttribute("aria-valuetext", label);
    node.setAttribute("aria-valuenow", at[0]);
  }

  /** The worst moves of all points, kept while only the part of them that has happened changes. */
  moves(truth, side) {
    const { draws, fixed, values } = this.stage;
    const key = JSON.stringify([truth, side.variances, values.eps, fixed]);
    if (this.moved?.key !== key || this.moved.draws !== draws) {
      const move = (z) => side.move(z.map((c, j) => c * Math.sqrt(truth[j])));
      this.moved = { key, draws, deltas: draws.map((points) => points.map(move)) };
    }
    return this.moved.deltas;
  }

  /** Half-planes and points on the canvas; the points are moved by the part of the attack that has happened. */
  scatter(px, k, { angle: degrees }, mu, truth, side, w) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [2 * HALF_WIDTH * k, 2 * HALF_HEIGHT * k];
    const { canvas, stage } = this;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    // What a canvas cannot read, light-dark() among it, the browser has worked out for the lines of both classes.
    const colours = ["plus", "minus"].map((name) => getComputedStyle(this.svg.querySelector(`.${name}`)).stroke);
    for (const [i, sign] of [1, -1].entries()) {
      const far = 60;
      const [n, t] = [w.map((c) => sign * far * c), [-w[1] * far, w[0] * far]];
      context.globalAlpha = 0.08;
      context.fillStyle = colours[i];
      context.beginPath();
      for (const corner of [t, [t[0] + n[0], t[1] + n[1]], [n[0] - t[0], n[1] - t[1]], [-t[0], -t[1]]]) context.lineTo(...px(corner));
      context.fill();
    }
    const part = stage.attack;
    const moved = part ? this.moves(truth, side) : null;
    for (const [i, sign] of [1, -1].entries()) {
      context.fillStyle = context.strokeStyle = colours[i];
      context.beginPath();
      const dots = new Path2D();
      for (const [n, z] of stage.draws[i].entries()) {
        const v = z.map((c, j) => c * Math.sqrt(truth[j]));
        const delta = moved?.[i][n] ?? [0, 0];
        const at = v.map((c, j) => sign * (mu[j] + c));
        const to = at.map((c, j) => c + sign * part * delta[j]);
        const [x, y] = px(turn(to, degrees));
        if (part) {
          context.moveTo(...px(turn(at, degrees)));
          context.lineTo(x, y);
        }
        dots.moveTo(x + 2.5, y);
        dots.arc(x, y, 2.5, 0, 7);
      }
      context.globalAlpha = 0.25;
      context.stroke();
      context.globalAlpha = 0.65;
      context.fill(dots);
    }
    context.globalAlpha = 1;
  }
}

// --- small things -----------------------------------------------------------------------------------------------

function minus(a, b) {
  return a.map((c, i) => c - b[i]);
}

/** @param {number[]} at */
function coordinates([x, y]) {
  return `at ${x.toFixed(1)}, ${y.toFixed(1)}`;
}

function percentage(p) {
  return p > 0.9995 && p < 1 ? ">99.9 %" : p > 0 && p < 0.0005 ? "<0.1 %" : `${(100 * p).toFixed(1)} %`;
}
