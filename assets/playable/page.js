// Starts the component of a playable page, whose own script stands above this and has defined `mount`.
/* global mount */

const data = JSON.parse(document.getElementById("data").textContent);
/** @type {HTMLTemplateElement} */
const markup = document.querySelector("template#markup");
const parentElement = document.getElementById("stage").attachShadow({ mode: "open" }); // as in the app
parentElement.append(markup.content.cloneNode(true));
const nobody = () => {}; // there is no page behind it to tell
// @ts-expect-error `mount` is the default export of the script above
mount({ data, parentElement, setStateValue: nobody, setTriggerValue: nobody });
document.querySelector(".theme").addEventListener("click", () => {
  const page = document.documentElement;
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  page.dataset.theme = dark ? "light" : "dark";
});
