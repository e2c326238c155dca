// What every component of ours starts with; pages/ui/component.py puts it above the component's own script.

const SVG = "http://www.w3.org/2000/svg";

/**
 * The default export of a component. Streamlit calls it again on every rerun with new data, into the same parentElement,
 * and the cleanup only when the component leaves the page; so what `make` returns lives as long as its element, and its
 * `update` is idempotent.
 * @param {string} selector the component's root
 * @param {(root: HTMLElement, data: object) => object} make returns what has `update(data, setStateValue, setTriggerValue)`
 *   and `destroy()`
 */
function lasting(selector, make) {
  const living = new WeakMap(); // parentElement -> { view, turn }
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    const root = parentElement.querySelector(selector);
    let life = living.get(parentElement);
    if (life?.view.root !== root) {
      life?.view.destroy();
      const made = { view: make(root, data), turn: 0, update: () => {} };
      root.addEventListener("transitionend", (event) => {
        if (event.target === root && event.propertyName === "background-color") made.update(); // light has become dark
      });
      living.set(parentElement, made);
      life = made;
    }
    const turn = ++life.turn;
    life.update = () => {
      paintTheme(root);
      life.view.update(data, setStateValue, setTriggerValue);
    };
    life.update();
    return () => {
      if (life.turn !== turn) return; // a later run has taken over
      life.view.destroy();
      living.delete(parentElement);
    };
  };
}

/** Say on the root which theme it is. Streamlit names its colours, not its theme: dark is a paper of little luminance. */
function paintTheme(root) {
  const [r, g, b] = getComputedStyle(root).backgroundColor.match(/[\d.]+/g).map(Number);
  root.dataset.theme = 0.2126 * r + 0.7152 * g + 0.0722 * b < 110 ? "dark" : "light";
}

/**
 * What to write as document.cookie. In a frame of another site browsers take only cookies that say they are meant for it, over
 * https, and best one for each site around; anywhere else a cookie stays within this site.
 * @param {string} name
 * @param {string} value
 * @param {string} more what else it says, such as its path
 * @param {"Lax" | "Strict"} within how it stays within this site
 * @param {any} where the window
 */
function cookieText(name, value, more, within = "Lax", where = window) {
  const abroad = where.location.protocol === "https:" && !reaches(where.top);
  return `${name}=${value}; ${more}; ${abroad ? "SameSite=None; Secure; Partitioned" : `SameSite=${within}`}`;
}

/** Whether that window is of our own site, as far as one can tell: no other lets us read its address. */
function reaches(other) {
  try {
    return other.location.href !== undefined;
  } catch {
    return false;
  }
}

/** A probability, never rounded to certainty; as core/words.py writes it. */
function percent(p) {
  if (p === null || p === undefined) return "";
  if (p > 0 && p < 0.005) return "<1 %";
  return p < 0.995 ? `${Math.round(100 * p)} %` : `${Math.min(99.9, Math.floor(1000 * p) / 10)} %`;
}

/** A number in about three figures. */
function short(value) {
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toFixed(digits).replace("-", "−");
}

function text(tag, words) {
  const node = document.createElement(tag);
  node.textContent = words;
  return node;
}

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
