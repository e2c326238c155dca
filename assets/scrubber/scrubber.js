// Plays trajectories of pictures. Python side: core/files/wire.py, which says what every field of `data` means.

const GAINS = [1, 5, 10, 20, 50, "auto"];
const THUMB = 22; // px, as in the style sheet
const MARKS = { truth: "●", target: "◆" };
const PEEKS = { o: "reference", d: "delta" }; // while the key is held (c and r are Streamlit's own)
const SWIPE = 560; // px; below, one column fills the screen and the others are a swipe away
const LEAST = 250; // px of a column beside others
const SMALL = 64; // px of the explaining pictures, at least

const remembered = new Map(); // key -> what the person chose; outlives a remount

export default lasting(".scrubber", (root, data) => new Scrubber(root, data));

class Scrubber {
  constructor(root, data) {
    this.root = root;
    this.version = 0;
    this.rows = [];
    this.pieces = new Pieces();
    this.playing = false;
    this.dragging = false;
    this.direction = 1; // of the playing; back again only while breathing
    this.side = "b"; // of the flicker: a is the reference
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.alternating = !this.calm;
    this.listeners = new AbortController();
    const $ = (selector) => root.querySelector(selector);
    this.el = {
      range: $(".range"), marks: $(".marks"), ticks: $(".ticks"), done: $(".done"), pending: $(".pending"),
      play: $(".play"), back: $(".back"), next: $(".next"), value: $(".value"), unit: $(".unit"),
      gains: $(".gains"), auto: $(".auto"), hold: $(".hold"), showing: $(".showing"),
      rows: $(".rows"), names: $(".names"), live: $(".live"), template: $("template"), track: $(".track"), transport: $(".transport"),
    };
    this.state = remembered.get(data.key) ?? { frame: 0, view: "side", gain: 10, split: 50, sent: {}, reported: null };
    remembered.set(data.key, this.state);
    this.listen();
    let seen = "";
    const resized = () => {
      const stage = getComputedStyle(root).getPropertyValue("--stage");
      const size = `${root.clientWidth} ${innerHeight} ${stage}`; // its own height follows from the width
      if (size !== seen) this.layout();
      seen = size;
    };
    this.observer = new ResizeObserver(resized);
    this.observer.observe(root);
    window.addEventListener("resize", resized, { signal: this.listeners.signal });

    // The transport stays below Streamlit's header while the rows scroll; the header is transparent, so cover what passes.
    /** @type {HTMLElement | null} */
    const header = document.querySelector("[data-testid=stHeader]");
    const top = header?.offsetHeight ?? 0;
    root.style.setProperty("--top", `${top}px`);
    this.edge = new IntersectionObserver(
      ([{ boundingClientRect }]) => root.toggleAttribute("data-stuck", boundingClientRect.top < top),
      { rootMargin: `${-top}px 0px 0px` });
    this.edge.observe($(".edge"));
  }

  destroy() {
    this.version++;
    this.listeners.abort();
    this.observer.disconnect();
    this.edge.disconnect();
    cancelAnimationFrame(this.ticker);
    for (const timer of [this.announcer, this.reporter]) clearTimeout(timer);
    clearInterval(this.flickerer);
    for (const row of this.rows) row.destroy();
    this.pieces.close();
    for (const node of ["rows", "marks", "ticks", "names"]) this.el[node].replaceChildren();
    this.el.gains.querySelectorAll("label").forEach((label) => label.remove());
  }

  // --- data ---------------------------------------------------------------------------------------------------

  async update(data, _, setTriggerValue) {
    const version = ++this.version;
    this.trigger = setTriggerValue;
    const films = data.rows.map((row) => new Film(row, this.pieces));
    await Promise.all(films.map((film) => film.unpack()));
    if (version !== this.version) return; // newer data came while the pictures were being decoded
    const state = this.state;
    for (const name of ["frame", "view", "gain"]) {
      const echo = data[name] === (name === "frame" ? state.reported : state.written?.[name]);
      const put = data.puts?.[name] ?? 0; // a preset sets back what the page was never told of, too
      if ((data[name] !== state.sent[name] && !echo) || put !== (state.puts?.[name] ?? put)) {
        state[name] = data[name];
        if (name === "frame") state.reported = null; // back at the one last reported is news again
      }
      state.sent[name] = data[name];
    }
    state.puts = data.puts;
    this.data = data;
    while (this.rows.length > data.rows.length) this.rows.pop().destroy();
    data.rows.forEach((row, i) => {
      this.rows[i] ??= new RowView(this);
      this.rows[i].show(row, films[i], data);
    });
    this.buildGains();
    this.buildNames();
    this.setView(state.view);
    this.announce(0);
    this.writeAddress();
    this.root.toggleAttribute("data-breathe", data.breathe);
    if (data.breathe && !this.breathed && !this.calm && data.available > 1) {
      this.breathed = true; // by itself once; who stops it wants it stopped
      this.play();
    }
    this.root.dataset.ready = "yes";
    await this.pieces.complete(films, () => this.frame, (problem) => this.arrived(problem));
  }

  /** A piece has come, or will not. */
  arrived(problem = false) {
    if (problem) this.el.unit.textContent = "some frames did not arrive; reload the page";
    if (this.root.querySelector(".row[data-waiting]")) this.draw();
  }

  /** View and gain belong to the link as the frame does; the page reads them there and need not run for them. */
  writeAddress() {
    if (!this.data.report) return;
    const url = new URL(location.href);
    const { view, gain } = this.state;
    for (const [name, value, usual] of [["look", view, this.data.usual.view], ["gain", gain, this.data.usual.gain]]) {
      if (value === usual) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    this.state.written = { view, gain };
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  }

  get frame() {
    return Math.max(0, Math.min(this.state.frame, this.data.available - 1));
  }

  position(frame) {
    const { name, labels } = this.data.axis;
    const label = labels[frame] ?? String(frame);
    return /^[a-z ]{2,}$/i.test(name) ? `${name} ${label}` : `${name} = ${label}`;
  }

  // --- moving -------------------------------------------------------------------------------------------------

  go(frame) {
    if (!this.data) return;
    this.state.frame = Math.max(0, Math.min(frame, this.data.available - 1));
    this.draw();
    this.announce();
  }

  play() {
    if (this.data.available < 2) return;
    if (this.frame === this.data.axis.total - 1 && !this.data.breathe) this.go(0);
    this.playing = true;
    this.markPlaying();
    const pace = Math.max(50, Math.min(220, 4500 / this.data.axis.total));
    let due = performance.now() + pace;
    const tick = (now) => {
      if (now >= due) {
        due = Math.max(due + pace, now); // never catch up in a jump after the tab was hidden
        if (this.data.breathe) this.breathe();
        else if (this.frame < this.data.available - 1) this.proceed(this.frame + 1);
        if (this.frame === this.data.axis.total - 1 && !this.data.breathe) return this.pause();
      }
      this.ticker = requestAnimationFrame(tick);
    };
    this.ticker = requestAnimationFrame(tick);
  }

  /** One step there or back. */
  breathe() {
    if (this.frame >= this.data.available - 1) this.direction = -1;
    if (this.frame === 0) this.direction = 1;
    this.proceed(this.frame + this.direction);
  }

  /** Go to a frame if its pictures are here; else the playing waits for them. */
  proceed(frame) {
    if (this.rows.every((row) => row.has(frame))) this.go(frame);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.ticker);
    this.markPlaying();
    this.announce();
    this.report();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  markPlaying() {
    this.root.toggleAttribute("data-playing", this.playing);
    this.el.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  report(delay = 0) {
    clearTimeout(this.reporter);
    if (!this.data.report) return;
    const tell = () => {
      if (this.frame === this.state.reported) return;
      this.state.reported = this.frame;
      this.trigger("frame", this.frame);
    };
    if (delay) this.reporter = setTimeout(tell, delay);
    else tell();
  }

  // --- input --------------------------------------------------------------------------------------------------

  listen() {
    const { range, play, back, next, auto, hold } = this.el;
    const on = (target, types, handle) =>
      types.split(" ").forEach((type) => target.addEventListener(type, handle, { signal: this.listeners.signal }));
    const step = (by) => {
      this.pause();
      this.go(this.frame + by);
      this.report(400);
    };

    on(range, "pointerdown", () => {
      this.pause();
      this.dragging = true;
    });
    on(range, "input", () => this.go(Number(range.value)));
    on(range, "change", () => {
      this.report(this.dragging ? 0 : 400); // keys come in runs: one report when they stop
      this.dragging = false;
    });
    on(range, "pointerup pointercancel", () => setTimeout(() => (this.dragging = false)));
    on(range, "keydown", (event) => {
      const page = Math.max(2, Math.round(this.data.axis.total / 10));
      const by = { PageUp: page, PageDown: -page }[event.key];
      if (event.key === " ") this.toggle();
      else if (by) step(by);
      else if (event.key === "End") step(Infinity);
      else return void (/^(Arrow|Home)/.test(event.key) && this.pause());
      event.preventDefault();
    });
    on(play, "click", () => this.toggle());
    on(back, "click", () => step(-1));
    on(next, "click", () => step(1));

    on(this.root, "change", ({ target }) => {
      if (target.name === "view") this.setView(target.value);
      if (target.name === "gain") {
        this.state.gain = target.value === "auto" ? "auto" : Number(target.value);
        this.draw();
      }
      this.writeAddress();
    });

    on(auto, "click", () => {
      this.alternating = !this.alternating;
      this.side = "b";
      this.setView("flicker");
    });
    const holding = (down) => (event) => {
      if (event.type.startsWith("key")) {
        if (event.key !== " " && event.key !== "Enter") return;
        event.preventDefault();
        if (event.repeat) return;
      }
      if (down) {
        this.alternating = false;
        this.setView("flicker");
      }
      this.turnTo(down ? "a" : "b");
    };
    on(hold, "pointerdown keydown", holding(true));
    on(hold, "pointerup pointerleave pointercancel keyup blur", holding(false));

    const typing = (event) =>
      event.ctrlKey || event.metaKey || event.altKey || event.composedPath()[0].closest?.("input:not([type=range]):not([type=radio]), textarea, select, [contenteditable=true]");
    on(document, "keydown", (event) => {
      const what = PEEKS[event.key.toLowerCase()];
      if (what && !event.repeat && !typing(event)) this.peek(what);
    });
    on(document, "keyup", (event) => PEEKS[event.key.toLowerCase()] && this.peek(null));
    on(window, "blur", () => this.peek(null));
    on(this.el.rows, "scroll", () => this.markName());
  }

  /** Show the clean picture or the difference in the large place, for as long as a key or the picture is held. */
  peek(what) {
    if (what && this.state.view !== "side") return;
    this.peeked = what;
    this.root.dataset.big = what ?? (this.state.view === "difference" ? "delta" : "current");
  }

  // --- one column a screen ------------------------------------------------------------------------------------

  buildNames() {
    this.el.names.replaceChildren(
      ...this.data.rows.map(({ title }, i) => {
        const button = text("button", "");
        Object.assign(button, { type: "button", className: "plain" });
        const words = title.split(" ").map((word) => text("span", word)); // a line ends between words, not in ResNet-9
        button.append(...words.flatMap((word, at) => (at ? [" ", word] : [word])));
        button.addEventListener("click", () => this.el.rows.scrollTo({ left: i * this.el.rows.clientWidth, behavior: this.calm ? "instant" : "smooth" }));
        return button;
      }));
    this.markName();
  }

  markName() {
    const { rows, names } = this.el;
    const at = Math.round(rows.scrollLeft / Math.max(1, rows.clientWidth));
    [...names.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === at)));
  }

  setView(view) {
    const { auto } = this.el;
    this.state.view = view;
    this.root.dataset.view = view;
    const chosen = this.root.querySelector(`[name=view][value=${view}]`);
    if (chosen) chosen.checked = true;
    clearInterval(this.flickerer);
    const running = view === "flicker" && this.alternating;
    if (running) this.flickerer = setInterval(() => this.turnTo(this.side === "a" ? "b" : "a"), 500);
    auto.setAttribute("aria-pressed", String(running));
    this.turnTo("b");
    this.peek(null);
    this.layout();
  }

  turnTo(side) {
    this.side = side;
    this.root.dataset.side = side;
    this.nameSide();
  }

  nameSide() {
    if (!this.data) return;
    const name = this.side === "a" ? `A  ${this.data.captions[0]}` : `B  ${this.position(this.frame)}`;
    if (this.el.showing.textContent !== name) this.el.showing.textContent = name;
  }

  setSplit(percent) {
    this.state.split = Math.max(0, Math.min(100, percent));
    this.root.style.setProperty("--split", this.state.split / 100);
    for (const { el } of this.rows) {
      el.divider.setAttribute("aria-valuenow", String(Math.round(this.state.split)));
      el.divider.setAttribute(
        "aria-valuetext", `${Math.round(this.state.split)} per cent ${this.data.captions[0]}, left of the line`);
    }
  }

  buildGains() {
    const { gains } = this.el;
    const { gain } = this.state;
    const known = new Set([...gains.querySelectorAll("input")].map((input) => input.value));
    for (const choice of GAINS.includes(gain) ? GAINS : [...GAINS.slice(0, -1), gain, "auto"]) {
      if (known.has(String(choice))) continue;
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "gain", value: String(choice) });
      label.append(input, text("span", choice === "auto" ? "auto" : `×${choice}`));
      gains.append(label);
    }
    for (const input of gains.querySelectorAll("input")) input.checked = input.value === String(gain);
  }

  // --- showing ------------------------------------------------------------------------------------------------

  /** The factor that is drawn and printed: "auto" fills the grey range at this frame, by the same factor in all rows. */
  gainAt(frame) {
    if (this.state.gain !== "auto") return this.state.gain;
    const largest = Math.max(...this.rows.map((row) => row.film.largest(frame)));
    return largest > 0 ? 0.5 / largest : 1;
  }

  draw() {
    if (!this.data) return;
    const started = performance.now();
    const { frame } = this;
    const { range, value, done, back, next } = this.el;
    const position = this.position(frame);
    const gain = this.gainAt(frame);
    range.value = frame;
    range.setAttribute("aria-valuetext", position);
    value.textContent = position;
    done.style.width = along(frame, this.data.axis.total);
    back.disabled = frame === 0;
    next.disabled = frame >= this.data.available - 1;
    for (const row of this.rows) row.draw(frame, gain, position);
    this.nameSide();
    this.root.dispatchEvent(new CustomEvent("frame", { detail: { frame, ms: performance.now() - started } }));
  }

  layout() {
    if (!this.data) return;
    const { rows, track } = this.el;
    const width = this.root.clientWidth;
    const count = this.rows.length;
    this.root.toggleAttribute("data-swipe", count > 1 && width < SWIPE);
    const minor = count - this.data.rows.filter((row) => row.minor).length;
    const most = Math.max(1, Math.floor((width + 24) / (LEAST + 24)));
    // Major columns in even lines; the minor ones are smaller and stand behind them if there is room.
    const beside = minor < count && width >= LEAST * (minor + 0.6) + 24 * minor;
    const columns = Math.ceil(minor / Math.ceil(minor / Math.max(1, Math.min(minor, most))));
    const tracks = Array(Math.max(1, columns)).fill("minmax(0, 1fr)");
    if (beside) tracks.push(...Array(count - minor).fill("minmax(0, 0.6fr)"));
    rows.style.setProperty("--columns", tracks.join(" "));
    rows.dataset.columns = tracks.length;
    for (const row of this.rows) row.layout();
    this.buildTrack(track.clientWidth);
    this.setSplit(this.state.split);
    this.draw();
  }

  buildTrack(width) {
    const { range, pending, ticks, marks, unit, value, play } = this.el;
    const { axis, available, rows } = this.data;
    const { total } = axis;
    range.max = Math.max(0, total - 1);
    range.disabled = play.disabled = available < 2;
    range.setAttribute("aria-label", axis.unit ? `${axis.name} (${axis.unit})` : axis.name);
    unit.textContent = available < total ? `${available} of ${total} computed` : axis.unit;
    value.style.minWidth = `${Math.max(...axis.labels.map((_, i) => this.position(i).length))}ch`;
    pending.hidden = available >= total;
    pending.style.left = along(available - 1, total);
    this.root.toggleAttribute("data-computing", available < total);

    const widest = Math.max(...axis.labels.map((label) => label.length));
    const room = Math.max(2, Math.floor(width / (widest * 8 + 40)));
    const every = stride(total - 1, room - 1);
    const marked = [];
    for (let i = 0; i < total; i++) {
      const named = i % every === 0 && i < axis.labels.length;
      if (!named && total > 61) continue;
      const tick = text("span", named ? axis.labels[i] : "");
      tick.className = named ? "tick named" : "tick";
      tick.style.left = along(i, total);
      marked.push(tick);
    }
    ticks.replaceChildren(...marked);

    const flags = rows.map((row) => ({ row, at: row.threshold })).filter(({ at }) => at !== null && at < available);
    flags.sort((a, b) => a.at - b.at);
    const late = ({ at }) => at > (total - 1) / 2; // a label is less than half of a phone
    // Lanes from the top such that no line crosses a label: early ones point right, first on top; late ones left, last on top.
    const lanes = [...flags.filter(late).reverse(), ...flags.filter((flag) => !late(flag))];
    marks.replaceChildren(
      ...flags.map((flag) => {
        const word = flag.row.flags[flag.at] ?? "threshold";
        const mark = document.createElement("span");
        mark.className = late(flag) ? "mark leftward" : "mark";
        mark.style.left = along(flag.at, total);
        mark.style.setProperty("--lane", String(lanes.indexOf(flag)));
        mark.append(text("span", rows.length > 1 ? `${flag.row.title} ${word}` : word));
        return mark;
      }),
    );
    marks.style.setProperty("--lanes", String(flags.length));
  }

  announce(delay = 500) {
    clearTimeout(this.announcer);
    if (this.playing) return;
    this.announcer = setTimeout(() => {
      const rows = this.data.rows.map((row) => `${row.title}: ${row.alt[this.frame] ?? row.alt[0]}`);
      this.el.live.textContent = [this.position(this.frame), ...rows].join(". ").replaceAll("..", ".");
    }, delay);
  }
}

class RowView {
  constructor(scrubber) {
    this.scrubber = scrubber;
    this.row = this.film = this.data = undefined; // until `show`
    const node = scrubber.el.template.content.firstElementChild.cloneNode(true);
    const $ = (selector) => node.querySelector(selector);
    this.node = node;
    this.el = {
      title: $(".title"), subtitle: $(".subtitle"), room: $(".stage-room"), stage: $(".stage"), divider: $(".divider"),
      verdict: $(".verdict"), name: $(".name"), percent: $(".percent"), badge: $(".badge"), gain: $(".gain"),
      bars: $(".bars"), curve: $(".curve"), curveName: $(".curve-name"), curveValue: $(".curve-value"),
      svg: $("svg"), readouts: $(".readouts"), legend: $(".legend"),
    };
    this.canvas = {};
    this.caption = {};
    for (const name of ["reference", "delta", "current"]) {
      this.canvas[name] = $(`.${name} canvas`);
      this.caption[name] = $(`.${name} figcaption`);
    }
    this.canvas.current.__pixels = (frame) => this.film.pixels(frame);
    this.canvas.reference.__pixels = () => this.film.pixels(-1);
    scrubber.el.rows.append(node);
    this.listen();
  }

  destroy() {
    this.node.remove();
  }

  /** Whether the picture of that frame is here. */
  has(frame) {
    return this.film.has(this.row.plain ? 0 : frame);
  }

  listen() {
    const { divider, stage } = this.el;
    const { scrubber } = this;
    const follow = (event) => {
      const box = this.canvas.current.getBoundingClientRect();
      scrubber.setSplit(((event.clientX - box.left) / box.width) * 100);
    };
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: scrubber.listeners.signal });
    on(stage, "pointerdown", (event) => {
      if (scrubber.state.view !== "split" || event.button) return;
      stage.setPointerCapture(event.pointerId);
      follow(event);
      divider.focus({ preventScroll: true });
      event.preventDefault();
    });
    on(stage, "pointermove", (event) => stage.hasPointerCapture(event.pointerId) && follow(event));
    on(this.canvas.current, "pointerdown", (event) => !event.button && scrubber.peek("reference"));
    for (const type of ["pointerup", "pointercancel"]) on(window, type, () => scrubber.peeked && scrubber.peek(null));
    on(divider, "keydown", (event) => {
      const { split } = scrubber.state;
      const to = {
        ArrowLeft: split - 2, ArrowDown: split - 2, ArrowRight: split + 2, ArrowUp: split + 2,
        PageDown: split - 10, PageUp: split + 10, Home: 0, End: 100,
      }[event.key];
      if (event.key === " ") scrubber.toggle();
      else if (to === undefined) return;
      else scrubber.setSplit(to);
      event.preventDefault();
    });
  }

  show(row, film, data) {
    this.row = row;
    this.film = film;
    this.data = data;
    const { el, canvas, caption } = this;
    this.node.classList.toggle("minor", row.minor);
    this.node.classList.toggle("alone", row.plain);
    el.title.textContent = row.title;
    el.subtitle.textContent = row.subtitle;
    for (const each of Object.values(canvas)) {
      if (each.width !== film.width) each.width = film.width;
      if (each.height !== film.height) each.height = film.height;
    }
    this.context = Object.fromEntries(
      Object.entries(canvas).map(([name, each]) => [name, each.getContext("2d", { willReadFrequently: true })]));
    this.levels = new ImageData(film.width, film.height);
    this.levels.data.fill(255);
    film.draw(this.context.reference, -1);
    caption.reference.textContent = data.captions[0];
    caption.delta.textContent = data.captions[1];
    canvas.reference.setAttribute("aria-label", `${row.title}: ${data.captions[0]}`);
    this.buildBars();
    this.buildReadouts();
    el.curve.hidden = !row.curveScale;
    el.verdict.hidden = !row.top.length && !row.flags.length;
    el.curveName.textContent = row.curveName;
  }

  buildBars() {
    const { bars } = this.row;
    const { el } = this;
    el.bars.hidden = !bars.length;
    const names = JSON.stringify([bars, this.row.truthName]);
    if (names === this.barNames) return;
    this.barNames = names;
    el.legend.replaceChildren(
      ...["truth", "target"].filter((role) => bars.some(([, of]) => of === role)).map((role) => {
        const entry = document.createElement("span");
        entry.dataset.role = role;
        entry.append(text("b", MARKS[role]), ` ${this.means(role)}`);
        return entry;
      }));
    el.legend.hidden = !el.legend.childElementCount;
    this.bars = bars.map(([name, role]) => {
      const item = document.createElement("li");
      const label = text("span", name);
      label.className = "label";
      const kind = text("span", MARKS[role] ?? "");
      if (role) kind.append(Object.assign(text("span", ` ${this.means(role)}`), { className: "hidden" }));
      kind.className = "kind";
      const rail = document.createElement("span");
      rail.className = "rail";
      const fill = document.createElement("span");
      rail.append(fill);
      const percent = text("span", "");
      percent.className = "number";
      item.dataset.role = role;
      const named = document.createElement("span");
      named.className = "class";
      named.append(label, kind);
      item.append(named, rail, percent);
      return { item, fill, percent, name };
    });
    el.bars.replaceChildren(...this.bars.map(({ item }) => item));
  }

  means(role) {
    return role === "truth" ? this.row.truthName : "target";
  }

  buildReadouts() {
    this.readouts = this.row.readouts.map(([name, values]) => {
      const value = text("dd", "");
      const pair = document.createElement("div");
      pair.append(text("dt", name), value);
      value.style.minWidth = `min(100%, ${Math.max(...values.map((v) => v.length))}ch)`;
      return { pair, value, values };
    });
    this.el.readouts.replaceChildren(...this.readouts.map(({ pair }) => pair));
    this.el.readouts.hidden = !this.readouts.length;
  }

  /**
   * The large picture, and two small ones beside it if it then keeps nearly its size, below it otherwise: each the largest
   * whole number of device pixels per pixel that fits. What is large in itself is scaled smoothly.
   */
  layout() {
    const { film, el, row } = this;
    const single = this.scrubber.rows.length === 1;
    const room = single && el.room.parentElement.clientWidth > 736 ? 0.6 * el.room.parentElement.clientWidth : this.node.clientWidth;
    const style = getComputedStyle(this.node);
    const staged = style.getPropertyValue("--stage").trim() === "1";
    const taken = parseFloat(style.getPropertyValue("--stage-taken")) || 0; // px, by what stands on the stage besides
    const share = (staged ? 0.5 : 0.38) + (this.data.breathe ? (staged ? 0.02 : 0.07) : 0);
    const least = Math.max(SMALL, 5.6 * parseFloat(getComputedStyle(this.caption.delta).fontSize)); // room for the words below
    const tall = Math.max(300, share * (innerHeight - taken)) * (row.minor ? 0.6 : 1);
    const limit = tall * Math.min(1.6, film.width / film.height);
    const beside = this.fit(Math.min(room - least - 12, limit));
    const alone = this.fit(Math.min(room, limit));
    const below = !row.plain && beside < 300 && beside < 0.85 * alone;
    const width = below || row.plain ? alone : beside;
    const small = this.fit(Math.max(SMALL, Math.min(width / 3, below ? SMALL : room - width - 12)));
    el.stage.style.setProperty("--width", `${width}px`);
    el.stage.style.setProperty("--small", `${small}px`);
    el.stage.style.setProperty("--ratio", `${film.width} / ${film.height}`);
    el.stage.toggleAttribute("data-below", below);
    this.node.toggleAttribute("data-shrunk", film.width > 96);
    if (this.row.curveScale) this.buildCurve(el.svg.clientWidth);
  }

  fit(room) {
    const { width } = this.film;
    const dense = devicePixelRatio || 1;
    const times = Math.floor((room * dense) / width);
    return times < 1 || width > 96 ? Math.max(16, Math.floor(room)) : (times * width) / dense;
  }

  buildCurve(width) {
    if (!width) return;
    const { curve, curveScale, threshold, flags, frames } = this.row;
    const { axis, available } = this.data;
    const [low, high] = curveScale;
    const em = parseFloat(getComputedStyle(this.el.svg).fontSize);
    const [left, right, top, bottom, height] = [3.4, 0.5, 1.75, 5.75, 6.5].map((n) => n * em);
    const flat = high === low;
    const x = (i) => left + ((width - left - right) * i) / Math.max(1, axis.total - 1);
    const y = (v) => (flat ? (top + bottom) / 2 : bottom - ((bottom - top) * (v - low)) / (high - low));
    const parts = [];
    const line = (name, x1, y1, x2, y2) => parts.push(svg("line", { class: name, x1, y1, x2, y2 }));
    const label = (name, at, up, words, anchor) =>
      parts.push(Object.assign(svg("text", { class: name, x: at, y: up, "text-anchor": anchor }), { textContent: words }));

    const marked = threshold !== null && threshold < available;
    if (marked) {
      parts.push(svg("rect", {
        class: "beyond", x: x(threshold), y: 0, width: Math.max(0, x(frames - 1) - x(threshold)), height }));
    }
    const levels = flat ? [low] : low < 0 && high > 0 ? [0, high, low] : [high, low];
    const named = [];
    for (const level of levels) {
      line(level === 0 ? "zero" : "grid", left, y(level), width - right, y(level));
      if (named.some((other) => Math.abs(y(other) - y(level)) < 1.1 * em)) continue;
      label("level", left - 0.6 * em, y(level) + 0.32 * em, short(level), "end");
      named.push(level);
    }
    if (marked) {
      const words = `${flags[threshold] ?? ""} from ${this.scrubber.position(threshold)}`.trim();
      this.context.current.font = `600 ${em}px ${getComputedStyle(this.el.svg).fontFamily}`;
      const long = this.context.current.measureText(words).width + 0.5 * em;
      line("threshold", x(threshold), 0, x(threshold), height);
      if (x(threshold) + long <= width) label("threshold-name", x(threshold) + 0.5 * em, em, words, "start");
      else if (x(threshold) - long >= 0) label("threshold-name", x(threshold) - 0.5 * em, em, words, "end");
      else label("threshold-name", width, em, words, "end"); // across the line, where neither side has room
    }
    let path = "";
    let pen = "M";
    curve.forEach((v, i) => {
      if (v === null) return void (pen = "M");
      path += `${pen}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
      pen = "L";
    });
    parts.push(svg("path", { class: "line", d: path }));
    this.cursor = svg("line", { class: "cursor", x1: 0, y1: 1.5 * em, x2: 0, y2: height });
    this.dot = svg("circle", { class: "dot", r: 4.5 });
    parts.push(this.cursor, this.dot);
    this.onCurve = { x, y };
    this.el.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.el.svg.replaceChildren(...parts);
  }

  draw(frame, gain, position) {
    const { row, film, el, canvas, caption, context } = this;
    if (row.plain) frame = 0;
    const here = film.has(frame); // else the last one stays, faint
    this.node.toggleAttribute("data-waiting", !here);
    if (here) {
      film.draw(context.current, frame);
      film.amplify(this.levels.data, frame, gain);
      context.delta.putImageData(this.levels, 0, 0);
    }

    const times = `×${short(gain)}`;
    el.gain.textContent = times;
    caption.current.textContent = position;
    canvas.current.setAttribute("aria-label", row.alt[frame]);
    canvas.delta.setAttribute("aria-label", `${row.title}: ${this.data.captions[1]}, amplified ${times}, at ${position}`);

    const flag = row.flags[frame] ?? null;
    const crossed = flag !== null && row.threshold !== null && flag === row.flags[row.threshold];
    el.badge.textContent = flag === null ? "" : crossed ? `◆ ${flag}` : flag;
    el.badge.dataset.on = crossed ? "yes" : "";
    const [name, confidence, role] = row.top[frame] ?? ["", null, ""];
    el.name.textContent = name;
    el.percent.textContent = percent(confidence);
    el.verdict.dataset.role = crossed ? "target" : role;
    this.node.toggleAttribute("data-crossed", crossed);

    this.bars.forEach((bar, i) => {
      const p = row.probabilities[frame][i];
      bar.fill.style.transform = `scaleX(${p})`;
      bar.percent.textContent = percent(p);
      bar.item.toggleAttribute("data-top", bar.name === name);
    });
    for (const { value, values } of this.readouts) value.textContent = values[frame];

    if (!row.curveScale) return;
    const v = row.curve[frame] ?? null;
    el.curveValue.textContent = v === null ? "–" : short(v);
    if (!this.onCurve) return;
    const at = this.onCurve.x(frame);
    this.cursor.setAttribute("transform", `translate(${at} 0)`);
    this.dot.style.display = v === null ? "none" : "";
    this.dot.setAttribute("transform", `translate(${at} ${v === null ? 0 : this.onCurve.y(v)})`);
  }
}

// --- small things ----------------------------------------------------------------------------------------------

/** Where frame i lies on the track: the thumb's centre, which never leaves the track's ends. */
function along(i, total) {
  const part = total > 1 ? i / (total - 1) : 0;
  return `calc(${THUMB / 2}px + (100% - ${THUMB}px) * ${part})`;
}

/** The smallest step that leaves at most `most` intervals; one that ends exactly at the last frame if it is near. */
function stride(intervals, most) {
  const least = Math.max(1, Math.ceil(intervals / most));
  for (let step = least; step <= 2 * least; step++) if (intervals % step === 0) return step;
  return least;
}
