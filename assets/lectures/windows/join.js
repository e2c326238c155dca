// The window of a phone: it joins a room by its code, and votes.

class Phone {
  constructor() {
    this.code = (new URLSearchParams(location.search).get("room") ?? "").trim().toUpperCase();
    this.place = `frog-phone-${this.code}`;
    this.asked = "";
    const me = () => encodeURIComponent(localStorage.getItem(this.place) ?? "");
    this.line = new Line(() => `_room/${encodeURIComponent(this.code)}?phone=${me()}`, {
      hear: (told) => this.hear(told),
      lost: () => this.say("Connecting again…"),
    });
    this.find(this.code ? ".state" : "form").hidden = false;
    this.find(".room").textContent = this.code;
    if (this.code) this.line.open();
  }

  /** @returns {HTMLElement} */
  find(selector) {
    return document.querySelector(selector);
  }

  hear(told) {
    if (told.is === "welcome") localStorage.setItem(this.place, told.phone);
    else if (told.is === "over") this.end(told.text);
    else if (told.is === "problem") this.say(told.text);
    else if (told.is === "state") this.show(told);
  }

  end(words) {
    this.line.close();
    localStorage.removeItem(this.place);
    this.show({ question: null, voted: null, text: words });
    this.find("form").hidden = false;
  }

  show({ question, voted, text: words }) {
    const answers = this.find(".answers");
    this.find(".question").textContent = question ? question.ask : words;
    if (!question) {
      this.asked = "";
      answers.replaceChildren();
      this.find(".shown").replaceChildren();
      this.say("");
      return;
    }
    const now = JSON.stringify(question);
    if (this.asked !== now) {
      const vote = (value) => this.vote(value);
      this.find(".shown").replaceChildren(...picturesOf(question.pictures, question.choices));
      answers.replaceChildren(...(question.choices.length ? choicesOf(question, vote) : [this.slider(question, voted)]));
    }
    this.asked = now;
    if (question.choices.length) press(answers.children, voted);
    this.say(voted === null ? "" : `Counted: ${answered(question, voted)}. You may change it until the answer is shown.`);
  }

  slider(question, voted) {
    const { low, high, unit } = question;
    const box = Object.assign(document.createElement("div"), { className: "slider" });
    const range = sliderOf(question, voted);
    const output = document.createElement("output");
    const ends = Object.assign(document.createElement("div"), { className: "ends" });
    ends.append(...[low, high].map((v) => Object.assign(document.createElement("span"), { textContent: `${v} ${unit}` })));
    const send = Object.assign(document.createElement("button"), { type: "button", className: "first", textContent: "Vote" });
    range.oninput = () => {
      output.textContent = `${range.value} ${unit}`;
    };
    output.textContent = `${range.value} ${unit}`;
    send.onclick = () => this.vote(Number(range.value));
    box.append(output, range, ends, send);
    return box;
  }

  vote(value) {
    if (this.line.ready) this.line.send({ vote: value });
    else this.say("Not connected; one moment…");
  }

  say(words) {
    this.find(".said").textContent = words;
  }
}

new Phone();
