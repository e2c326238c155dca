// Starts the component of a playable page, whose own script stands above this and defined `mount`.

const data = JSON.parse(document.getElementById("data").textContent);
const parentElement = document.getElementById("stage").attachShadow({ mode: "open" }); // as in the app
parentElement.append(document.getElementById("markup").content.cloneNode(true));
const nobody = () => {}; // there is no page behind it to tell
const show = () => mount({ data, parentElement, setStateValue: nobody, setTriggerValue: nobody });
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

show();
prefersDark.addEventListener("change", show);
document.querySelector(".theme").addEventListener("click", () => {
  const page = document.documentElement;
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : prefersDark.matches;
  page.dataset.theme = dark ? "light" : "dark";
  show();
});
