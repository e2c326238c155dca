// A question as the stage and the phones draw it: its pictures, its choices as buttons, its numbers as a slider.

/**
 * Draw the pictures of a question. Where there are several, each is a choice and bears its name.
 * @param {string[]} sources
 * @param {string[]} choices
 * @param {(i: number) => string[]} lines what else is said below the picture
 */
function picturesOf(sources, choices, lines = () => []) {
  return sources.map((src, i) => {
    const figure = document.createElement("figure");
    const name = sources.length > 1 ? choices[i] : "";
    figure.append(Object.assign(document.createElement("img"), { src, alt: name || "The picture that the question is about" }));
    const caption = document.createElement("figcaption");
    if (name) caption.append(Object.assign(document.createElement("b"), { textContent: name }));
    for (const line of lines(i)) caption.append(Object.assign(document.createElement("span"), { textContent: line }));
    if (caption.childNodes.length) figure.append(caption);
    return figure;
  });
}

/** Make a button for each choice; `choose` hears its number, counted from 1. */
function choicesOf({ choices }, choose) {
  return choices.map((words, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.onclick = () => choose(i + 1);
    return button;
  });
}

/** Mark the button of the choice that was made, and no other. */
function press(buttons, chosen) {
  for (const [i, button] of [...buttons].entries()) button.setAttribute("aria-pressed", String(i + 1 === chosen));
}

/** Make the slider of a question that asks for a number; it starts in the middle where nothing was said yet. */
function sliderOf({ low, high, ask }, value) {
  const whole = Number.isInteger(low) && Number.isInteger(high) && high - low >= 5;
  const range = Object.assign(document.createElement("input"), {
    type: "range",
    min: String(low),
    max: String(high),
    step: String(whole ? 1 : (high - low) / 100),
  });
  range.value = String(value ?? (low + high) / 2);
  range.setAttribute("aria-label", ask);
  return range;
}

/** What somebody answered, in words. */
function answered({ choices, unit }, value) {
  return choices.length ? choices[Number(value) - 1] : `${value} ${unit}`;
}
