// The transfer matrix: all measured settings, played from a file (core/transfer/scene.py says what `data` holds), or one setting
// on the page (pages/transfer/heat.py), which has controls of its own and is told which cell is chosen.

// Ten points of cividis, as .streamlit/config.toml has them.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
const GOALS = { untargeted: "untargeted", targeted: "targeted" };
const SHOWS = { attack: "attack", noise: "noise of that size" };
const NORMS = { L2: "ℓ₂", Linf: "ℓ∞" };

export default lasting(".matrix", (root) => new Matrix(root));

class Matrix {
  constructor(root) {
    this.root = root;
    this.listeners = new AbortController();
    const $ = (this.find = (selector) => root.querySelector(selector));
    this.el = {
      goals: $(".goals"), shows: $(".shows"), norms: $(".norms"), range: $(".range"), where: $(".where"), says: $(".says"),
      head: $("thead"), body: $("tbody"), chosen: $(".chosen"),
    };
    this.el.range.addEventListener("input", () => {
      this.state.eps = this.radii()[Number(this.el.range.value)];
      this.draw();
    }, { signal: this.listeners.signal });
  }

  destroy() {
    this.listeners.abort();
    for (const part of ["head", "body"]) this.el[part].replaceChildren();
    this.root.querySelectorAll(".choice label").forEach((label) => label.remove());
  }

  update(data, _, setTriggerValue) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.onPage = data.says !== undefined;
    if (this.onPage) {
      this.state = { ...data.first };
      this.root.dataset.page = "yes";
      this.root.style.setProperty("--columns", data.targets.length);
      this.find(".bar").hidden = this.find(".chosen").hidden = true;
      const heads = JSON.stringify([data.sources, data.targets]);
      if (this.heads !== heads) this.table();
      this.heads = heads;
    } else if (!this.state) {
      this.state = { ...data.first };
      this.choice("goals", "goal", GOALS);
      this.choice("shows", "show", SHOWS);
      this.choice("norms", "norm", NORMS);
      this.table();
    }
    this.draw();
    this.root.dataset.ready = "yes";
  }

  /** A row of radio buttons that sets one field of the state. */
  choice(where, field, words) {
    for (const [value, word] of Object.entries(words)) {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: field, value });
      input.addEventListener("change", () => {
        this.state[field] = value;
        this.draw();
      }, { signal: this.listeners.signal });
      label.append(input, text("span", word));
      this.el[where].append(label);
    }
  }

  table() {
    const { sources, targets, titles } = this.data;
    const heads = document.createElement("tr");
    heads.append(text("td", "made for ↓  shown to →"));
    for (const target of targets) heads.append(Object.assign(text("th", titles[target]), { scope: "col" }));
    this.el.head.replaceChildren(heads);
    this.cells = [];
    this.el.body.replaceChildren();
    for (const source of sources) {
      const line = document.createElement("tr");
      line.append(Object.assign(text("th", titles[source]), { scope: "row" }));
      for (const target of targets) {
        const button = Object.assign(document.createElement("button"), { type: "button" });
        button.addEventListener("click", () => {
          Object.assign(this.state, { source, target });
          if (this.onPage) this.trigger("cell", `${source} > ${target}`);
          this.draw();
        }, { signal: this.listeners.signal });
        const place = document.createElement("td");
        place.append(button);
        line.append(place);
        this.cells.push({ source, target, button });
      }
      this.el.body.append(line);
    }
  }

  /** The settings that were measured with this goal and norm, smallest radius first. */
  radii() {
    const { goal, norm } = this.state;
    return this.data.settings.filter((one) => one.goal === goal && one.norm === norm).map((one) => one.eps);
  }

  /** Let the controls of a page that plays by itself show the state. */
  controls() {
    const { state, data, el } = this;
    for (const input of this.root.querySelectorAll(".choice input")) {
      input.checked = state[input.name] === input.value;
      if (input.name !== "show") {
        const asked = { ...state, [input.name]: input.value };
        input.disabled = !data.settings.some((one) => one.goal === asked.goal && one.norm === asked.norm);
      }
    }
    const radii = this.radii();
    if (!radii.includes(state.eps)) state.eps = radii[Math.floor(radii.length / 2)];
    el.range.max = radii.length - 1;
    el.range.value = radii.indexOf(state.eps);
    el.range.disabled = radii.length < 2;
    el.range.setAttribute("aria-valuetext", `epsilon ${state.eps}`);
    el.where.textContent = `ε = ${state.eps}`;
  }

  draw() {
    const { state, data, el } = this;
    let does = data.says;
    let about = "";
    let setting = data.settings[0];
    if (this.onPage) {
      const chosen = state.source ? " Choose a cell to see its pictures." : "";
      el.says.textContent = `Of 100 pictures, how often ${does}. Small: 95 % intervals.${chosen}`;
      this.root.setAttribute("aria-label", data.alt);
    } else {
      this.controls();
      setting = data.settings.find((one) => one.goal === state.goal && one.norm === state.norm && one.eps === state.eps);
      does = state.goal === "targeted" ? "the target predicts the wanted class" : "the target is wrong";
      about = state.show === "noise" ? ", shown mere noise of the same size" : "";
      el.says.textContent = `Of 100 pictures ${data.counted}, how often ${does}${about}. Small: 95 % intervals.`;
    }
    for (const { source, target, button } of this.cells) {
      const rate = setting.cells[`${source} > ${target}`]?.[state.show];
      button.disabled = !rate;
      button.replaceChildren();
      if (!rate) continue;
      const [value, low, high] = rate;
      const whole = (v) => Math.round(100 * v);
      button.append(String(whole(value)), text("small", `${whole(low)}–${whole(high)}`));
      button.style.background = CIVIDIS[Math.min(9, Math.floor(10 * value))];
      button.style.color = value > 0.55 ? "#111" : "#fff";
      button.setAttribute("aria-label", `${data.titles[source]}, shown to ${data.titles[target]}: ${whole(value)} per cent`);
      button.setAttribute("aria-pressed", String(source === state.source && target === state.target));
    }
    if (!this.onPage) this.say(setting, does, about);
  }

  say(setting, does, about) {
    const { source, target, show, norm, eps } = this.state;
    const rate = setting.cells[`${source} > ${target}`]?.[show];
    if (!rate) return void (this.el.chosen.textContent = "");
    const [value, low, high, n] = rate;
    const digits = (v) => (100 * v).toFixed(1);
    this.el.chosen.textContent =
      `Made for ${this.data.titles[source]}, shown to ${this.data.titles[target]} (${NORMS[norm]}, ε = ${eps})${about}: `
      + `${does} for ${digits(value)} of 100 pictures, 95 % interval ${digits(low)} to ${digits(high)}, n = ${n.toLocaleString("en")}.`;
  }
}
