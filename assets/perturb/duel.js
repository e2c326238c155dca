// The duel: a camera's picture, or one that moves, and both models attacked on it without end. Python side: pages/perturb/duel.py
// mounts it, pages/perturb/live.py is at the other end of its line. What it works out by itself is in motion.js, below.

const CAMERA_MS = 40; // between frames, at least; a faster machine rests in between
const PICTURE_MS = 66;
const LONGEST_S = 0.1; // that the picture moves on from frame to frame: where a machine is slow it moves more slowly
const REST_MS = 180_000; // a picture that nobody touches for so long stops moving
const REPORT_MS = 400;
const SAY_MS = 4000; // between what a screen reader hears
const SEEN = 192; // px of what is shown of the source
const ANY = -1;
const WAITING_MS = 700; // for the camera, until that is said
const WAITING = "Waiting for the camera. If the browser asks whether it may be used, allow it.";
const HELD = { o: "clean", d: "delta" };

export default lasting(".duel", (root) => new Duel(root));

class Duel {
  constructor(root) {
    this.root = root;
    const $ = (selector) => root.querySelector(selector);
    this.el = {
      ring: $(".ring"), left: $(".left"), right: $(".right"), template: $("template"), seen: $(".seen"), caption: $(".source figcaption"),
      eps: $(".eps"), aim: $(".aim"), rate: $(".rate"), attack: $(".attack"), range: $(".radius input"), camera: $(".camera"),
      which: $(".which"), zoom: $(".zoom"), halt: $(".halt"), full: $(".full"), targets: $(".targets"), problem: $(".problem"),
      promise: $(".promise"), live: $(".live"),
    };
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.attacking = true;
    this.at = 0; // which radius
    this.target = ANY;
    this.looked = null;
    this.phase = 0; // s, of the picture that moves
    this.problems = {};
    this.times = []; // when the last frames came back
    this.small = document.createElement("canvas"); // what the models get
    this.still = document.createElement("canvas"); // the picture that moves
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.link = new Line(() => `${appOf(this.data.page)}/_duel/${this.data.token}`, {
      opened: () => {
        this.waiting = false;
        this.complain("");
        this.tick();
      },
      hear: (message) => this.hear(message),
      lost: (sentence) => {
        this.waiting = false;
        this.complain(sentence);
      },
    });
    this.listeners = new AbortController();
    this.touched();
    this.listen();
    this.watcher = new IntersectionObserver((entries) => {
      this.offscreen = !entries.at(-1).isIntersecting;
      this.tick();
    });
    this.watcher.observe(this.el.ring);
  }

  destroy() {
    this.gone = true;
    this.listeners.abort();
    this.watcher.disconnect();
    clearTimeout(this.next);
    clearTimeout(this.reporter);
    this.link.close();
    this.release();
    if (document.fullscreenElement) document.exitFullscreen?.();
    for (const part of [this.el.left, this.el.right, this.el.targets]) part.replaceChildren();
  }

  update(data, _, setTriggerValue) {
    const fresh = this.data?.token !== data.token;
    const classes = String(this.data?.classes) !== String(data.classes);
    this.data = data;
    this.trigger = setTriggerValue;
    this.small.width = this.small.height = data.side;
    paint(this.still, unpack(data.picture), data.side);
    this.buildFighters();
    if (classes) this.buildTargets();
    this.el.range.max = String(data.labels.length - 1);
    const said = `${data.at} ${data.target}`;
    if (said !== this.said && !this.reporter) [this.at, this.target] = [data.at, data.target];
    this.said = said;
    this.el.camera.hidden = !data.camera;
    this.el.promise.textContent = data.camera ? promise(location.hostname, data.side) : "This host takes no pictures from cameras.";
    this.show();
    if (fresh) this.link.open();
    else this.tick();
  }

  // --- frames, there and back ---------------------------------------------------------------------------------

  /** Whether frames should go out: somebody may be watching. */
  get running() {
    return !this.halted && !this.gone && !document.hidden && !this.offscreen && this.link.ready && Boolean(this.data);
  }

  /** Send the next frame, unless one is on its way. */
  tick() {
    clearTimeout(this.next);
    if (!this.running || this.waiting) return;
    if (!this.stream && performance.now() - this.last > REST_MS) {
      this.halt(true);
      return;
    }
    if (!this.look()) {
      this.next = setTimeout(() => this.tick(), 100); // the camera is still warming up
      return;
    }
    const { data } = this.small.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, this.data.side, this.data.side);
    this.frame = rgbOf(data);
    this.waiting = true;
    this.sent = performance.now();
    this.link.send({ do: "frame", pixels: pack(this.frame), at: this.attacking ? this.at : 0, target: this.target < 0 ? null : this.target });
  }

  /** Take what is to be attacked: into `small` for the models, into `seen` for people; return whether there was anything. */
  look() {
    const { side } = this.data;
    const draw = (canvas, wide) => {
      if (canvas.width !== wide) canvas.width = canvas.height = wide;
      const context = canvas.getContext("2d", { willReadFrequently: canvas === this.small });
      context.imageSmoothingQuality = "high";
      context.save();
      if (this.stream) {
        const from = squareOf(this.video.videoWidth, this.video.videoHeight, Number(this.el.zoom.querySelector("input").value));
        context.scale(-1, 1); // as in a mirror
        context.drawImage(this.video, from.x, from.y, from.side, from.side, -wide, 0, wide, wide);
      } else {
        const { x, y, angle, zoom } = motion(this.phase);
        context.imageSmoothingEnabled = zoom !== 1;
        context.translate(wide * (0.5 + x), wide * (0.5 + y));
        context.rotate(angle);
        context.scale(zoom, zoom);
        context.drawImage(this.still, -wide / 2, -wide / 2, wide, wide);
      }
      context.restore();
    };
    if (this.stream && !this.video.videoWidth) return false;
    const now = performance.now();
    if (!this.calm) this.phase += Math.min(LONGEST_S, (now - (this.looked ?? now)) / 1000);
    this.looked = now;
    draw(this.small, side);
    draw(this.el.seen, SEEN);
    return true;
  }

  hear(message) {
    if (message.is === "problem") {
      this.waiting = false;
      this.complain(message.text);
      this.next = setTimeout(() => this.tick(), 1000);
      return;
    }
    this.waiting = false;
    this.complain("");
    message.models.forEach((seen, k) => this.fighters[k] && this.fight(this.fighters[k], seen));
    this.measure();
    this.say();
    const pace = this.stream ? CAMERA_MS : PICTURE_MS;
    this.next = setTimeout(() => this.tick(), Math.max(0, pace - (performance.now() - this.sent)));
  }

  fight(fighter, seen) {
    const attacked = this.attacking && this.at > 0;
    fighter.seen = seen;
    fighter.pictures = { adv: unpack(seen.pixels), delta: unpack(seen.delta), clean: this.frame };
    if (!attacked) fighter.frames = [];
    else if (seen.counts) fighter.frames = counted(fighter.frames, seen.fooled);
    const [[name, p]] = seen.says;
    const { el } = fighter;
    el.toggleAttribute("data-fooled", attacked && seen.fooled);
    el.querySelector(".badge").hidden = !(attacked && seen.fooled);
    el.querySelector(".name").textContent = name;
    el.querySelector(".percent").textContent = percent(p);
    el.querySelector(".clean").textContent = attacked ? `without the attack: ${seen.clean[0][0]} ${percent(seen.clean[0][1])}` : "not attacked";
    el.querySelector(".tally").textContent = attacked ? tally(fighter.frames) : "";
    this.draw(fighter);
  }

  draw(fighter) {
    if (fighter.pictures) paint(fighter.el.querySelector(".big"), fighter.pictures[this.peeked ?? "adv"], this.data.side);
  }

  measure() {
    const now = performance.now();
    this.times = [...this.times.filter((t) => now - t < 3000), now];
    const rate = this.times.length > 1 ? (1000 * (this.times.length - 1)) / (now - this.times[0]) : 0;
    this.root.dataset.frames = String(Number(this.root.dataset.frames ?? 0) + 1);
    this.root.dataset.rate = rate.toFixed(1);
    this.el.rate.textContent = `${rate.toFixed(0)} frames a second`;
  }

  /** Say now and then what is to be seen, for whoever does not see it. */
  say() {
    const now = performance.now();
    if (now - (this.spoke ?? -SAY_MS) < SAY_MS) return;
    this.spoke = now;
    const told = this.fighters.map(({ el, seen }, k) => {
      const { title } = this.data.models[k];
      const line = `${title} says ${seen.says[0][0]}, ${percent(seen.says[0][1])}; without the attack ${seen.clean[0][0]}.`;
      el.querySelector(".big").setAttribute("aria-label", `${line} Measured size of the perturbation: ${seen.norm}.`);
      return line;
    });
    if (told.join(" ") !== this.el.live.textContent) this.el.live.textContent = told.join(" ");
  }

  // --- the camera ---------------------------------------------------------------------------------------------

  async start(id) {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.complain(refusal("insecure"), "camera");
      return;
    }
    this.release();
    const mine = this.asked; // whoever asks again, or stops, does not want this one any more
    this.patience = setTimeout(() => this.complain(WAITING, "camera"), WAITING_MS);
    let stream = null;
    try {
      const video = { width: { ideal: 640 }, height: { ideal: 480 }, ...(id ? { deviceId: { exact: id } } : {}) };
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (mine === this.asked) {
        this.video.srcObject = stream;
        await this.video.play(); // until the first picture is there, the one that moves stays
      }
    } catch (problem) {
      end(stream);
      if (mine !== this.asked) return;
      this.release();
      this.complain(refusal(problem.name), "camera");
      return;
    }
    if (mine !== this.asked) {
      end(stream);
      return;
    }
    clearTimeout(this.patience);
    this.complain("", "camera");
    this.stream = stream;
    this.follow(stream.getVideoTracks()[0]);
    await this.listCameras();
    if (this.stream !== stream) return;
    this.attacking = false; // first what the models see by themselves; then one key
    this.el.attack.focus(); // which the space bar presses
    this.halt(false);
  }

  /** Say so where the camera goes away, or falls silent, while it is on. */
  follow(track) {
    const on = (type, what) => track.addEventListener(type, () => this.stream?.getVideoTracks()[0] === track && what());
    on("ended", () => {
      this.release();
      this.complain(refusal("gone"), "camera");
      this.tick();
    });
    on("mute", () => this.complain(refusal("silent"), "camera"));
    on("unmute", () => this.complain("", "camera"));
  }

  /** Give the camera back, and want none that is still asked for. */
  release() {
    this.asked = (this.asked ?? 0) + 1;
    clearTimeout(this.patience);
    end(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.times = [];
    if (this.gone || !this.data) return;
    this.complain("", "camera");
    this.show();
  }

  async listCameras() {
    const all = (await navigator.mediaDevices.enumerateDevices().catch(() => [])).filter(({ kind }) => kind === "videoinput");
    const select = this.el.which.querySelector("select");
    const mine = this.stream?.getVideoTracks()[0].getSettings().deviceId;
    select.replaceChildren(...all.map(({ deviceId, label }, i) => new Option(label || `camera ${i + 1}`, deviceId, false, deviceId === mine)));
    this.several = all.length > 1;
  }

  /** Stop everything, the camera too, or go on. */
  halt(is) {
    this.halted = is;
    if (is) this.release();
    this.touched();
    this.show();
    if (is) this.el.rate.textContent = "stopped";
    this.tick();
  }

  // --- controls -----------------------------------------------------------------------------------------------

  /** Somebody is there. */
  touched() {
    this.last = performance.now();
  }

  set(change) {
    Object.assign(this, change);
    for (const fighter of this.fighters) fighter.frames = [];
    this.show();
    if (!("at" in change || "target" in change)) return;
    clearTimeout(this.reporter);
    this.reporter = setTimeout(() => {
      this.reporter = 0;
      this.trigger("set", { at: this.at, target: this.target });
    }, REPORT_MS);
  }

  /** Bring what is written in line with what is so. */
  show() {
    const { el, data } = this;
    const aim = this.target < 0 ? "any other class" : data.classes[this.target];
    el.range.value = String(this.at);
    el.range.setAttribute("aria-valuetext", `${data.labels[this.at]}, ${data.unit}`);
    el.attack.setAttribute("aria-pressed", String(this.attacking));
    el.eps.textContent = this.attacking ? `ε = ${data.labels[this.at]}` : "no attack";
    el.aim.textContent = this.attacking ? `toward ${aim}` : "press Space";
    el.caption.textContent = this.stream ? "the camera" : data.caption;
    el.seen.setAttribute("aria-label", this.stream ? "The camera's picture" : `${data.caption}, moving`);
    el.camera.textContent = this.stream ? "Back to the picture" : "Use the camera";
    el.which.hidden = !(this.stream && this.several);
    el.zoom.hidden = !this.stream;
    el.halt.textContent = this.halted ? "Go on" : "Stop";
    this.root.toggleAttribute("data-camera", Boolean(this.stream));
    this.root.toggleAttribute("data-halted", Boolean(this.halted));
    this.root.toggleAttribute("data-attacking", this.attacking);
    for (const button of el.targets.children) {
      if (button instanceof HTMLElement) button.setAttribute("aria-pressed", String(Number(button.dataset.target) === this.target));
    }
  }

  /** Say what is wrong with the line or with the camera, until it is not. */
  complain(words, about = "line") {
    this.problems[about] = words;
    this.el.problem.textContent = Object.values(this.problems).join(" ").trim();
    this.el.problem.hidden = !this.el.problem.textContent;
  }

  peek(what) {
    this.peeked = what;
    for (const fighter of this.fighters ?? []) this.draw(fighter);
  }

  buildFighters() {
    const { models } = this.data;
    if (this.fighters?.length !== models.length) {
      this.fighters = models.map((_, k) => {
        const el = this.el.template.content.firstElementChild.cloneNode(true);
        (k ? this.el.right : this.el.left).replaceChildren(el);
        const big = el.querySelector(".big");
        for (const type of ["pointerdown", "pointerup", "pointerleave", "pointercancel"]) {
          big.addEventListener(type, () => this.peek(type === "pointerdown" ? "clean" : null), { signal: this.listeners.signal });
        }
        return { el, frames: [] };
      });
    }
    this.el.ring.toggleAttribute("data-two", models.length > 1);
    this.fighters.forEach(({ el }, k) => {
      if (el.querySelector(".title").textContent !== models[k].title) this.fighters[k].frames = [];
      el.querySelector(".title").textContent = models[k].title;
      el.querySelector(".subtitle").textContent = models[k].subtitle;
    });
  }

  buildTargets() {
    const { classes } = this.data;
    const chip = (name, target, key) => {
      const button = text("button", name);
      Object.assign(button, { type: "button", className: "plain" });
      button.dataset.target = String(target);
      if (key) button.append(" ", text("kbd", key));
      return button;
    };
    if (classes.length <= 12) {
      const each = classes.map((name, i) => chip(name, i, i < 10 ? String((i + 1) % 10) : ""));
      this.el.targets.replaceChildren(chip("any other class", ANY, "A"), ...each);
      return;
    }
    const select = document.createElement("select");
    select.append(new Option("any other class", String(ANY)), ...classes.map((name, i) => new Option(name, String(i))));
    this.el.targets.replaceChildren(select);
    select.addEventListener("change", () => this.set({ target: Number(select.value) }));
  }

  listen() {
    const { attack, range, camera, which, halt, full, targets } = this.el;
    const on = (target, types, handle) =>
      types.split(" ").forEach((type) => target.addEventListener(type, handle, { signal: this.listeners.signal }));
    on(attack, "click", () => this.set({ attacking: !this.attacking }));
    on(range, "input", () => this.set({ at: Number(range.value) }));
    on(camera, "click", () => {
      if (this.stream) {
        this.release();
        this.set({ attacking: true });
      } else this.start();
    });
    on(which, "change", ({ target }) => this.start(target.value));
    on(halt, "click", () => this.halt(!this.halted));
    on(full, "click", () => this.fill());
    on(targets, "click", ({ target }) => {
      const chosen = target.closest("[data-target]");
      if (chosen) this.set({ target: Number(chosen.dataset.target), attacking: true });
    });
    on(window, "keydown", (event) => this.key(event));
    on(window, "keyup", (event) => HELD[event.key.toLowerCase()] && this.peek(null));
    on(window, "blur", () => this.peek(null));
    on(window, "pointerdown keydown", () => this.touched());
    on(document, "visibilitychange", () => this.tick());
  }

  key(event) {
    const into = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || into.closest?.("textarea, select, [contenteditable=true], input:not([type=range])")) return;
    const key = event.key.toLowerCase();
    const turn = { arrowright: 1, arrowleft: -1 }[key];
    if (key === " " && !into.closest?.("button, a")) this.set({ attacking: !this.attacking });
    else if (HELD[key]) this.peek(HELD[key]);
    else if (key === "f" && !event.repeat) this.fill();
    else if (key === "a") this.set({ target: ANY, attacking: true });
    else if (/^\d$/.test(key) && (Number(key) + 9) % 10 < this.data.classes.length) this.set({ target: (Number(key) + 9) % 10, attacking: true });
    else if (turn && !into.closest?.("input, button, [role]")) this.set({ at: Math.max(0, Math.min(this.data.labels.length - 1, this.at + turn)) });
    else return;
    event.preventDefault();
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.complain("This browser shows no part of a page on the full screen; Presenter mode does nearly the same.", "camera"));
  }
}

const end = (stream) => stream?.getTracks().forEach((track) => track.stop());
