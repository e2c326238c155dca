// Lints each script as the browser gets it: one module with assets/shared and with what else is in its folder; a window of a
// topic (assets/TOPIC/windows), which is a page of its own, with what its topic shares.

import js from "@eslint/js";
import globals from "globals";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const DEFINED = /^(?:async )?(?:function|const|class) (\w+)/gm;

const scriptsIn = (folder) => readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => `${folder}/${name}`);
const foldersIn = (folder) => readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`);
const topics = foldersIn("assets");
const windows = topics.flatMap(foldersIn).filter((folder) => folder.endsWith("/windows"));
const isModule = (path) => readFileSync(path, "utf8").includes("export default");

/** What a script defines at its top. */
const defined = (path) => [...readFileSync(path, "utf8").matchAll(DEFINED)].map(([, name]) => name);

/** What a script finds there without having defined it. */
const found = (path, folder) => {
  const beside = folder.endsWith("/windows") ? scriptsIn(dirname(folder)).filter((other) => !isModule(other)) : scriptsIn(folder);
  return [...scriptsIn("assets/shared"), ...beside].filter((other) => other !== path).flatMap(defined);
};

export default [
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-shadow": "error",
      "no-unused-vars": ["error", { vars: "local", argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  ...[...topics, ...windows].flatMap((folder) =>
    scriptsIn(folder).map((path) => ({
      files: [path],
      languageOptions: {
        globals: { ...globals.browser, ...Object.fromEntries(found(path, folder).map((name) => [name, "readonly"])) },
        // A script without an export is there for those after it: what it defines at its top is used.
        sourceType: isModule(path) ? "module" : "script",
      },
    })),
  ),
];
