// The speaker's second window: it shows the notes of the step in sight, and its clicker turns the lecture.

class Notes {
  constructor() {
    const cookie = document.cookie.match(/(?:^|; )frog_talk=([\w.-]+)/)?.[1];
    const key = new URLSearchParams(location.search).get("talk") ?? cookie ?? "";
    const began = Date.now();
    this.line = new Line(() => `_notes/${encodeURIComponent(key || "none")}`, { hear: (told) => this.show(told) });
    this.line.open();
    setInterval(() => {
      const s = Math.floor((Date.now() - began) / 1000);
      this.find(".time").textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    }, 1000);
    this.find(".back").onclick = () => this.turn(-1);
    this.find(".next").onclick = () => this.turn(1);
    addEventListener("keydown", (event) => {
      const by = { PageDown: 1, PageUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.turn(by);
    });
  }

  /** @returns {HTMLElement} */
  find(selector) {
    return document.querySelector(selector);
  }

  turn(by) {
    this.line.send({ turn: by });
  }

  show({ notes, here, votes, code }) {
    if (!notes?.title) return; // no lecture yet, or the talk is over
    this.find(".lecture").textContent = `${notes.lecture} · step ${notes.step} of ${notes.steps}`;
    this.find(".votes").textContent = code ? `Room ${code}: ${here} here${notes.question ? `, ${votes} voted` : ""}` : "";
    this.find("h1").textContent = notes.title;
    const said = notes.say.split(/\n\s*\n/).map((words) => Object.assign(document.createElement("p"), { textContent: words }));
    this.find(".say").replaceChildren(...said);
    this.find(".look").hidden = !notes.look_for;
    this.find(".look span").textContent = notes.look_for;
    this.find(".question").hidden = !notes.question;
    this.find(".question .ask").textContent = notes.question;
    this.find(".question .answer").textContent = notes.answer;
    this.find(".next-title").textContent = notes.next ? `Next: ${notes.next}` : "The last step.";
  }
}

new Notes();
