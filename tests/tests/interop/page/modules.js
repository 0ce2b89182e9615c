// JsSIP comes as CommonJS modules: enough of a loader for them, in the place of a bundler.
"use strict";

const modules = new Map();

function fetched(path) {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.send();
  return request.status === 200 ? request.responseText : null;
}

// The file that `name` means in `folder`, and what is in it.
function found(name, folder) {
  const base = name.startsWith(".") ? new URL(name, `http://x${folder}/`).pathname : `/node_modules/${name}`;
  for (const path of [base, `${base}.js`, `${base}/index.js`]) {
    if (/\.js(on)?$/.test(path)) {
      const text = fetched(path);
      if (text !== null) return [path, text];
    }
  }
  const about = JSON.parse(fetched(`${base}/package.json`));
  const main = (typeof about.browser === "string" && about.browser) || about.main || "index.js";
  return found(`./${main.replace(/^\.\//, "")}`, base);
}

function load(name, folder) {
  const [path, text] = found(name, folder);
  if (!modules.has(path)) {
    const module = { exports: {} };
    modules.set(path, module);
    if (path.endsWith(".json")) {
      module.exports = JSON.parse(text);
    } else {
      const here = path.slice(0, path.lastIndexOf("/"));
      const run = new Function("require", "module", "exports", "process", "global", text);
      run((other) => load(other, here), module, module.exports, { env: {} }, window);
    }
  }
  return modules.get(path).exports;
}
