// Heat maps over all frequencies, and a picture with the wave that is pointed at. Python side: pages/frequency/lens.py.
//
// Pointing draws here, with no server run; a click, or an arrow key once it rests, is reported.

const CIVIDIS = ["#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958", "#fee838"]
  .map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
const ZOOM = 8; // canvas pixels a frequency: room for the frame around the chosen one
const REST_MS = 250;

export default lasting(".lens", (root) => new Lens(root));

class Lens {
  constructor(root) {
    this.root = root;
    this.panels = [];
    this.listeners = new AbortController();
    const $ = (selector) => root.querySelector(selector);
    this.el = { where: $(".where"), panels: $(".panels"), own: $(".own"), live: $(".hidden"), play: $(".play") };
    this.on(this.el.play, "click", () => this.play());
    paintScale($(".scale canvas"));
  }

  on(node, event, act) {
    node.addEventListener(event, act, { signal: this.listeners.signal });
  }

  destroy() {
    clearInterval(this.timer);
    clearTimeout(this.rest);
    this.listeners.abort();
    for (const panel of this.panels) panel.node.remove();
  }

  update(data, _, trigger) {
    this.data = data;
    this.trigger = trigger;
    this.picture = Float32Array.from(unpack(data.picture), (value) => value / 255);
    if (this.panels.length !== data.maps.length) {
      for (const panel of this.panels) panel.node.remove();
      this.panels = data.maps.map(() => new Panel(this));
      this.el.panels.prepend(...this.panels.map((panel) => panel.node));
    }
    this.panels.forEach((panel, i) => panel.show(data.maps[i]));
    this.el.own.querySelector(".sub").textContent = data.caption;
    if (!this.waiting || same(this.waiting, data.at)) {
      this.waiting = null;
      this.at = data.at;
    }
    this.draw(this.at);
    this.root.dataset.ready = "yes";
  }

  /** Show the frequency that is pointed at, or the chosen one. */
  draw(at) {
    const [u, v] = at;
    const cycles = Math.hypot(u, v);
    this.el.where.textContent = `${short(u)} cycles down, ${short(v)} across: a wave of ${cycles.toFixed(1)} cycles per picture`;
    this.panels.forEach((panel) => panel.draw(at));
    this.drawPicture(u, v);
  }

  /** The formula of core/frequency/waves.py, on this picture. */
  drawPicture(u, v) {
    const { side, norm, signs } = this.data;
    const canvas = this.el.own.querySelector("canvas");
    canvas.width = canvas.height = side;
    const image = new ImageData(side, side);
    const own = (k) => k === 0 || k === -side / 2;
    const lone = own(u) && own(v);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const angle = (2 * Math.PI * ((((u * y + v * x) % side) + side) % side)) / side;
        const wave = (lone ? Math.cos(angle) : Math.SQRT2 * Math.cos(angle + Math.PI / 4)) / side;
        const i = y * side + x;
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * Math.min(1, Math.max(0, this.picture[3 * i + c] + signs[c] * norm * wave)));
        image.data[4 * i + 3] = 255;
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${this.data.caption}, a wave of ${short(u)} cycles down and ${short(v)} across added`);
    this.el.own.querySelector(".count").textContent = `norm ${norm} in each channel`;
  }

  choose(at, wait = 0) {
    clearInterval(this.timer);
    clearTimeout(this.rest);
    this.at = this.waiting = at;
    this.draw(at);
    const said = this.panels.map((panel) => panel.sentence(at)).join(" ");
    this.el.live.textContent = `${this.el.where.textContent}. ${said}`;
    this.rest = setTimeout(() => this.trigger("picked", { u: at[0], v: at[1] }), wait);
  }

  move(down, across) {
    const half = this.data.side / 2;
    const hold = (k) => Math.max(-half, Math.min(half - 1, k));
    this.choose([hold(this.at[0] + down), hold(this.at[1] + across)], REST_MS);
  }

  play() {
    clearInterval(this.timer);
    const half = this.data.side / 2;
    const all = [];
    for (let u = 0; u < half; u++) for (let v = -half; v < half; v++) all.push([u, v]);
    all.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
    let i = 0;
    this.timer = setInterval(() => {
      if (i >= all.length) {
        clearInterval(this.timer);
        return this.draw(this.at);
      }
      this.draw(all[i]);
      i += 3;
    }, 70);
  }
}

class Panel {
  constructor(lens) {
    this.lens = lens;
    this.node = document.createElement("figure");
    this.node.className = "panel";
    this.title = this.node.appendChild(text("h3", ""));
    this.sub = add(this.node, "p", "sub");
    this.canvas = add(this.node, "canvas", "map");
    this.count = add(this.node, "p", "count");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    lens.on(this.canvas, "pointermove", (event) => lens.draw(this.under(event)));
    lens.on(this.canvas, "pointerleave", () => lens.draw(lens.at));
    lens.on(this.canvas, "click", (event) => lens.choose(this.under(event)));
    lens.on(this.canvas, "keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      lens.move(...step);
    });
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const { side } = this.lens.data;
    const cell = (part) => Math.max(0, Math.min(side - 1, Math.floor(part * side))) - side / 2;
    return [cell((event.clientY - box.top) / box.height), cell((event.clientX - box.left) / box.width)];
  }

  show(map) {
    this.map = map;
    this.title.textContent = map.title;
    this.sub.textContent = map.subtitle;
    const { side } = this.lens.data;
    const small = new OffscreenCanvas(side, side);
    const image = new ImageData(side, side);
    map.values.forEach((value, i) => image.data.set([...cividis(value), 255], 4 * i));
    small.getContext("2d").putImageData(image, 0, 0);
    this.small = small;
  }

  value([u, v]) {
    const { side } = this.lens.data;
    return this.map.values[(u + side / 2) * side + v + side / 2];
  }

  sentence(at) {
    return `${this.map.title}: ${Math.round(100 * this.value(at))} per cent wrong.`;
  }

  draw(at) {
    const { side } = this.lens.data;
    const { canvas } = this;
    canvas.width = canvas.height = side * ZOOM;
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.small, 0, 0, side * ZOOM, side * ZOOM);
    const frame = ([u, v], colour, width) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.strokeRect((v + side / 2) * ZOOM, (u + side / 2) * ZOOM, ZOOM, ZOOM);
    };
    const twin = at.map((k) => (k === -side / 2 ? k : -k));
    for (const one of [twin, at]) {
      frame(one, "#ffffff", 4);
      frame(one, "#d55e00", 2);
    }
    canvas.setAttribute("aria-label", `Heat map of the error of ${this.map.title} over all frequencies. Arrow keys move. ${this.sentence(at)}`);
    this.count.replaceChildren(text("b", `${Math.round(100 * this.value(at))} %`), ` of ${this.map.n} wrong here`);
  }
}

function cividis(value) {
  const at = Math.max(0, Math.min(1, value)) * (CIVIDIS.length - 1);
  const low = Math.min(CIVIDIS.length - 2, Math.floor(at));
  return CIVIDIS[low].map((a, c) => Math.round(a + (at - low) * (CIVIDIS[low + 1][c] - a)));
}

function paintScale(canvas) {
  const image = new ImageData(canvas.width, 1);
  for (let i = 0; i < canvas.width; i++) image.data.set([...cividis(i / (canvas.width - 1)), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function same(a, b) {
  return a[0] === b[0] && a[1] === b[1];
}

function add(parent, tag, name) {
  const node = parent.appendChild(text(tag, ""));
  node.className = name;
  return node;
}
