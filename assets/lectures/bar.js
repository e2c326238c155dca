// The bar of a lecture: what the clicker does, the question before the view, the answer above it, and the room.

const CARRIED = ["present", "embed"]; // of the address, from step to step
const CALM_MS = 300; // a page that rests that long is complete
const CALM_THERE_MS = 1200; // a page that computes piece by piece rests in between
const START_MS = 5000; // a run that was not seen in that time was too short to be seen
const INTO = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";

export default lasting(".lecture", (root) => new Bar(root));

class Bar {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.pending = null;
    this.turned = null;
    this.told = {};
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey, true);
    this.find(".back").onclick = () => this.turn(-1);
    this.find(".next").onclick = () => this.turn(1);
    this.find(".end").onclick = () => this.trigger?.("act", "end");
    this.find(".notes").onclick = () => window.open(this.url(`notes?talk=${this.data.key}`), "frog-notes", "popup,width=980,height=760");
    this.find(".room").onclick = () => this.find(".door").showModal();
    this.find(".away").onclick = () => {
      this.away = this.place;
      this.find(".verdict").hidden = true;
    };
    this.find(".shut").onclick = () => this.find(".door").close();
    this.find(".door").onclose = () => this.find(".bar .room").blur(); // or the next key would show it as chosen
    this.find(".open").onclick = () => this.trigger?.("act", "open");
    this.find(".close-room").onclick = () => this.trigger?.("act", "close");
    this.warmer = new Warmer((ready) => this.ready(ready));
    this.line = new Line(() => this.url(`_talk/${this.data.key}`), { hear: (told) => this.hear(told) });
  }

  update(data, _, setTriggerValue) {
    const fresh = this.data?.key !== data.key;
    this.data = data;
    this.trigger = setTriggerValue;
    if (fresh) this.line.open();
    if (this.pending === null || this.pending === data.at) {
      const turned = this.pending !== null;
      this.pending = null;
      this.at = data.at;
      this.draw();
      this.warm();
      if (turned && !this.stands(data.slides[data.at])) visit(window, this.wanted);
    }
    document.cookie = cookieText("frog_talk", data.key, `path=${data.base}`);
    this.drawRoom();
    this.drawVotes();
  }

  destroy() {
    window.removeEventListener("keydown", this.onKey, true);
    clearTimeout(this.late); // a lecture that was ended stays so
    this.line.close();
    this.warmer.end();
  }

  // --- going on ---

  key(event) {
    const into = event.composedPath()[0];
    if (event.ctrlKey || event.altKey || event.metaKey || into.matches?.(INTO)) return;
    const by = { PageDown: 1, PageUp: -1 }[event.key];
    if (by) this.turn(by);
    else if (event.key === "." || event.key === "b") this.find(".blank").hidden = !this.find(".blank").hidden;
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  turn(by) {
    const at = Math.min(Math.max(this.at + by, 0), this.data.slides.length - 1);
    if (at === this.at) return;
    this.find(".door").close();
    this.find(".blank").hidden = true;
    this.at = this.pending = at;
    this.head();
    const url = new URL(this.url(this.data.slides[at].link));
    const now = new URLSearchParams(location.search);
    for (const name of CARRIED) if (now.has(name)) url.searchParams.set(name, now.get(name));
    this.wanted = url;
    visit(window, url);
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    // What an overtaken run has left behind, or a connection that ended meanwhile: ask again.
    clearTimeout(this.late);
    const missing = () => this.pending !== null && this.pending !== this.data.at;
    this.late = setTimeout(() => (missing() || lost(window)) && visit(window, url), 4000);
  }

  /** Whether the address is that of a slide: the last word of an overtaken run may have put its own there. */
  stands({ step, asking }) {
    const now = new URLSearchParams(location.search);
    return now.get("step") === String(step) && (now.get("shown") === "true") === !asking;
  }

  url(link) {
    return new URL(link, new URL(this.data.base, location.origin)).href;
  }

  warm() {
    const slides = this.data.slides;
    const now = slides[this.at];
    const next = slides.slice(this.at).filter((slide) => slide.step !== now.step)[0];
    const wanted = [now.asking && now.view, next?.view].filter((view) => view !== false && view !== undefined);
    this.warmer.want(wanted.map((view) => this.url(view)));
  }

  ready(ready) {
    const dot = this.find(".ready");
    dot.dataset.ready = ready;
    dot.title = ready ? "The next step is computed" : "The next step is being computed";
    dot.setAttribute("aria-label", dot.title);
  }

  // --- what is shown ---

  head() {
    const slide = this.data.slides[this.at];
    this.find(".at").textContent = `${slide.step} / ${this.data.steps}`;
    this.find(".title").textContent = slide.title;
    this.find(".look").textContent = this.pending === null && !slide.asking ? this.data.look_for : "";
    this.find(".now").title = this.find(".look").textContent;
    this.find(".back").disabled = this.at === 0;
    this.find(".next").disabled = this.at === this.data.slides.length - 1;
    this.find(".live").textContent = `Step ${slide.step} of ${this.data.steps}: ${slide.title}`;
  }

  draw() {
    const { question, answer, asking } = this.data;
    this.head();
    this.find(".ask").hidden = !asking;
    this.find(".verdict").hidden = asking || !question || this.away === this.place;
    if (asking) this.drawQuestion(question);
    else if (question) this.drawAnswer(question, answer);
  }

  get place() {
    return `frog-guess-${this.data.name}-${this.data.slides[this.at].step}`;
  }

  drawQuestion(question) {
    const slide = this.data.slides[this.at];
    this.find(".ask .where").textContent = `${slide.title} · predict first`;
    this.find(".ask .question").textContent = question.ask;
    this.find(".ask").toggleAttribute("data-pictures", this.data.pictures.length > 0);
    this.find(".ask .shown").replaceChildren(...this.pictures(question));
    const answers = this.find(".answers");
    if (answers.dataset.of === this.place) return;
    answers.dataset.of = this.place;
    const guess = sessionStorage.getItem(this.place);
    if (question.choices.length) {
      const choose = (chosen) => {
        sessionStorage.setItem(this.place, String(chosen));
        press(answers.children, chosen);
      };
      answers.replaceChildren(...choicesOf(question, choose));
      press(answers.children, guess === null ? null : Number(guess));
      return;
    }
    const label = document.createElement("label");
    const range = sliderOf(question, guess);
    const output = text("output", guess === null ? "?" : answered(question, guess));
    range.oninput = () => {
      output.textContent = answered(question, range.value);
      sessionStorage.setItem(this.place, range.value);
    };
    label.append(range, output);
    answers.replaceChildren(label);
  }

  drawAnswer(question, answer) {
    const guess = sessionStorage.getItem(this.place);
    const named = guess === null ? "" : answered(question, guess);
    this.find(".right").textContent = answer?.says ?? "";
    this.find(".guess").textContent = named && `${answer ? "you" : "You"} said: ${named}.`;
    this.find(".verdict .shown").replaceChildren(...this.pictures(question));
    this.find(".because").textContent = question.because;
    this.find(".note").textContent = answer?.note ?? "";
    this.find(".verdict").title = question.ask;
  }

  /** What a question shows; once it is answered, with what each model says of it. */
  pictures({ choices }) {
    const { pictures, said: answers, asking } = this.data;
    return picturesOf(pictures, choices, (i) => (asking ? [] : answers[i].map(({ who, says }) => `${who}: ${says}`)));
  }

  drawRoom() {
    const { room, unreachable } = this.data;
    this.find(".closed").hidden = Boolean(room);
    this.find(".opened").hidden = !room;
    for (const note of this.root.querySelectorAll(".unreachable")) {
      note.hidden = !unreachable;
      note.textContent = unreachable;
    }
    this.find(".invitation").hidden = !room;
    if (!room) return;
    this.find(".csv").href = this.url(`_talk/${this.data.key}/votes.csv`);
    for (const picture of this.root.querySelectorAll(".qr")) {
      picture.src = room.qr;
      picture.alt = `QR code of ${room.url}`;
    }
    for (const code of this.root.querySelectorAll(".code")) code.textContent = room.code;
    for (const address of this.root.querySelectorAll(".address")) address.textContent = room.url;
  }

  drawVotes() {
    const { here = 0, votes = 0, tally = null } = this.told;
    const { room, asking, question } = this.data;
    const phones = `${here} ${here === 1 ? "phone" : "phones"}`;
    this.find(".bar .room").textContent = room ? `${room.code} · ${asking ? `${votes} of ${here} voted` : phones}` : "Room";
    this.find(".here").textContent = `${phones} here`;
    this.find(".ask .count").textContent = room ? `${votes} of ${phones} voted` : "";
    const drawn = this.find(".verdict .votes");
    drawn.replaceChildren();
    if (!tally?.n || !question || this.told.at !== `${this.data.name} ${this.data.slides[this.at].step}`) return;
    const right = this.data.answer?.value;
    drawn.append(...(question.choices.length ? bars(question.choices, tally, right, this.data) : [dots(question, tally, right)]));
    drawn.append(Object.assign(text("p", `The room, n = ${tally.n}`), { className: "n" }));
    drawn.setAttribute("aria-label", said(question, tally));
  }

  // --- the talk, on the server ---

  hear(told) {
    this.told = told;
    const by = this.turned === null ? 0 : told.turned - this.turned;
    this.turned = told.turned;
    if (by) this.turn(by);
    this.drawVotes();
  }
}

/**
 * Open an address as the browser's own Back does: without a reload, and what it says counts more than what was there.
 * Where Streamlit has given its connection up, nothing but a reload goes on.
 */
function visit(here, url) {
  if (lost(here)) return here.location.assign(url);
  here.history.pushState({}, "", url);
  here.dispatchEvent(new here.PopStateEvent("popstate", { state: {} }));
}

function lost(here) {
  return here.document.querySelector("[data-testid=stApp]")?.dataset.testConnectionState === "DISCONNECTED_FOREVER";
}

/** Opens views in a window that nobody sees, one after the other, so that the server has them when they are wanted. */
class Warmer {
  constructor(tell) {
    this.tell = tell;
    this.wanted = [];
    this.done = new Set();
    this.calmHere = this.calmThere = undefined; // since when the page in sight, and the frame, rest; null while they run
    this.timer = setInterval(() => this.look(), 100);
  }

  want(urls) {
    this.wanted = urls;
    this.tell(this.missing === undefined);
  }

  get missing() {
    return this.wanted.find((url) => !this.done.has(url));
  }

  /** One look: wait for the page in sight, open what is missing, wait until that rests. */
  look() {
    const missing = this.missing;
    if (missing === undefined) return;
    if (this.under !== missing) {
      if (!this.calm(window)) return;
      this.under = missing;
      this.ran = false;
      if (!this.frame) {
        this.frame = document.createElement("iframe");
        Object.assign(this.frame, { tabIndex: -1, title: "The next step, being computed", src: missing });
        this.frame.setAttribute("aria-hidden", "true");
        this.frame.style.cssText = "position:fixed;left:-3000px;top:0;width:1280px;height:900px;border:0;visibility:hidden";
        document.body.append(this.frame);
        this.asked = performance.now();
        return;
      }
      this.asked = performance.now();
      const there = this.frame.contentWindow;
      // Of the page that is open there already, controls would keep what the link leaves out: another view than the one to come.
      if (new URL(missing).pathname === there.location.pathname) there.location.replace(missing);
      else visit(there, missing);
      return;
    }
    const waited = performance.now() - this.asked;
    const calm = this.calm(this.frame.contentWindow);
    this.ran ||= this.calmThere === null; // on a busy machine the run may begin late: a rest before it is none
    if (waited > (this.ran ? 700 : START_MS) && calm) {
      this.done.add(missing);
      this.tell(this.missing === undefined);
    }
  }

  calm(where) {
    const app = where.document?.querySelector("[data-testid=stApp]");
    const resting = app?.dataset.testScriptState === "notRunning" && app.dataset.testConnectionState !== "INITIAL";
    const name = where === window ? "calmHere" : "calmThere";
    if (!resting) this[name] = null;
    else this[name] ??= performance.now();
    return resting && performance.now() - this[name] > (where === window ? CALM_MS : CALM_THERE_MS);
  }

  end() {
    clearInterval(this.timer);
    this.frame?.remove();
  }
}

/** Who of the models chooses what, where there is one picture and the choices are classes. */
function chosenBy({ said: answers }, choice) {
  return answers.length === 1 ? answers[0].filter((one) => one.choice === choice).map((one) => one.who) : [];
}

function bars(choices, { n, counts }, right, data) {
  return choices.map((words, i) => {
    const row = Object.assign(document.createElement("div"), { className: i + 1 === right ? "row right" : "row" });
    const track = Object.assign(document.createElement("div"), { className: "track" });
    const share = Object.assign(document.createElement("div"), { className: "share" });
    share.style.width = `${(100 * counts[i]) / n}%`;
    track.append(share);
    const named = text("span", i + 1 === right ? `${words} ✓` : words);
    for (const who of chosenBy(data, i + 1)) named.append(Object.assign(text("small", who), { className: "model" }));
    row.append(named, track, text("span", String(counts[i])));
    return row;
  });
}

/** Every vote a dot on the line, those that are alike on top of each other; the answer is a mark below. */
function dots({ low, high, unit }, { values }, right) {
  const place = (value) => 10 + (380 * (value - low)) / (high - low);
  const drawn = svg("svg", { viewBox: "0 0 400 80" });
  const heights = new Map();
  const bins = 40;
  for (const value of values) {
    const bin = Math.round((bins * (value - low)) / (high - low));
    heights.set(bin, (heights.get(bin) ?? 0) + 1);
  }
  const most = Math.max(...heights.values());
  for (const [bin, count] of heights) {
    const tall = (50 * count) / most;
    drawn.append(svg("rect", { x: place(low + (bin * (high - low)) / bins) - 4, y: 55 - tall, width: 8, height: tall, fill: "currentColor", opacity: 0.55 }));
  }
  drawn.append(svg("line", { x1: 10, x2: 390, y1: 56, y2: 56, stroke: "currentColor", "stroke-opacity": 0.4 }));
  for (const [value, anchor] of [[low, "start"], [high, "end"]]) {
    const words = svg("text", { x: place(value), y: 74, "font-size": 13, fill: "currentColor", "text-anchor": anchor });
    words.textContent = `${value} ${unit}`;
    drawn.append(words);
  }
  if (right !== undefined) drawn.append(svg("line", { x1: place(right), x2: place(right), y1: 0, y2: 62, stroke: "var(--accent)", "stroke-width": 3 }));
  return drawn;
}

function said({ choices, unit }, { n, counts, values }) {
  if (choices.length) return `${n} votes: ${choices.map((words, i) => `${words}, ${counts[i]}`).join("; ")}`;
  return `${n} votes, from ${values[0]} to ${values[values.length - 1]} ${unit}, in the middle ${values[Math.floor(values.length / 2)]}`;
}
