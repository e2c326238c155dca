// Lints each script as the browser gets it: one module with assets/shared and with what else is in its folder.

import js from "@eslint/js";
import globals from "globals";
import { readdirSync, readFileSync } from "node:fs";

const DEFINED = /^(?:async )?(?:function|const|class) (\w+)/gm;

const scriptsIn = (folder) => readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => `${folder}/${name}`);
const folders = readdirSync("assets", { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => `assets/${name}`);

/** What a script defines at its top. */
const defined = (path) => [...readFileSync(path, "utf8").matchAll(DEFINED)].map(([, name]) => name);

/** What a script finds there without having defined it. */
const found = (path, folder) =>
  [...scriptsIn("assets/shared"), ...scriptsIn(folder)].filter((other) => other !== path).flatMap(defined);

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
  ...folders.flatMap((folder) =>
    scriptsIn(folder).map((path) => ({
      files: [path],
      languageOptions: {
        globals: { ...globals.browser, ...Object.fromEntries(found(path, folder).map((name) => [name, "readonly"])) },
        // A script without an export is there for those after it: what it defines at its top is used.
        sourceType: readFileSync(path, "utf8").includes("export default") ? "module" : "script",
      },
    })),
  ),
];
