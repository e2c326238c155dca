// Two pictures, briefly; then which one? Alone, all trials run here and the answers go back at once; in a room the phones answer.

const CROSS_MS = 600;

export default lasting(".choice", (root) => new Choice(root));

class Choice {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.timers = [];
    this.answers = [];
    this.at = -1;
    this.waiting = false;
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    this.line = new Line(() => `${this.data.base}_talk/${this.data.key}`, {
      hear: (told) => {
        this.told = told;
        this.draw();
      },
    });
    this.find("button.left").onclick = () => this.answer(1);
    this.find("button.right").onclick = () => this.answer(2);
    this.find(".go").onclick = () => this.go();
  }

  update(data, setStateValue, setTriggerValue) {
    const fresh = this.data?.id !== data.id;
    const another = data.room && this.data?.key !== data.key;
    this.data = data;
    this.state = setStateValue;
    this.trigger = setTriggerValue;
    if (fresh) {
      this.clear();
      this.answers = [];
      this.at = -1;
    }
    if (data.room && data.at !== this.at) this.show(data.at);
    else if (fresh) this.show(-1);
    if (another) this.line.open();
    this.draw();
  }

  destroy() {
    window.removeEventListener("keydown", this.onKey);
    this.clear();
    this.line.close();
  }

  clear() {
    for (const timer of this.timers.splice(0)) clearTimeout(timer);
  }

  key(event) {
    if (this.data.room || !this.waiting || event.ctrlKey || event.altKey || event.metaKey) return;
    const side = { ArrowLeft: 1, ArrowRight: 2 }[event.key];
    if (!side) return;
    event.preventDefault();
    this.answer(side);
  }

  go() {
    if (this.data.room) this.trigger?.("turn", this.at + 1);
    else this.show(0);
  }

  /** A cross, both pictures for a moment, and covers. */
  show(at) {
    this.clear();
    this.at = at;
    this.waiting = false;
    delete this.root.dataset.seen;
    const trial = this.data.trials[at];
    if (trial) {
      this.find("img.left").src = trial.left;
      this.find("img.right").src = trial.right;
      this.timers.push(
        setTimeout(() => (this.root.dataset.seen = "yes"), CROSS_MS),
        setTimeout(() => {
          delete this.root.dataset.seen;
          this.waiting = true;
          this.draw();
        }, CROSS_MS + this.data.ms),
      );
    }
    this.draw();
  }

  answer(side) {
    if (!this.waiting) return;
    this.answers.push(side);
    if (this.at + 1 < this.data.trials.length) return this.show(this.at + 1);
    this.waiting = false;
    this.at = this.data.trials.length;
    this.draw();
    this.state?.("answers", { id: this.data.id, sides: [...this.answers] });
  }

  draw() {
    const { trials, room } = this.data;
    const n = trials.length;
    const trial = trials[this.at];
    this.find(".ask").textContent = trial ? trial.ask : this.at < 0 ? `${n} times two pictures, ${this.data.ms} ms each` : "Done. Thank you.";
    for (const side of ["left", "right"]) {
      this.find(`button.${side}`).disabled = !this.waiting;
      this.find(`button.${side}`).hidden = room;
    }
    const votes = room && trial ? `${this.told?.votes ?? 0} of ${this.told?.here ?? 0} phones` : "";
    this.find(".count").textContent = trial ? [`${this.at + 1} / ${n}`, votes].filter(Boolean).join(" · ") : "";
    const go = this.find(".go");
    go.hidden = room ? this.at >= n : this.at >= 0;
    go.textContent = this.at < 0 ? "Begin" : this.at + 1 < n ? "Next" : "Finish";
    go.disabled = room && Boolean(trial) && !this.waiting;
  }
}
