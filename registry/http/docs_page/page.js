// Shows /openapi.json, and sends requests as it describes them. No library, nothing from elsewhere.
import { WORDS, TAGS, SUMMARIES } from "/docs/words.js";

const $ = (id) => document.getElementById(id);
const METHODS = ["get", "put", "post", "delete"];
let language = localStorage.getItem("idnode-language")
  || (navigator.language.startsWith("zh") ? "zh" : "en");
let description;

const say = (word) => WORDS[language][word];

/** An element with attributes and children; text is always text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** What a reference stands for, `#/components/schemas/Name` or `…/responses/Name`. */
function resolve(found) {
  if (!found?.$ref) return found || {};
  const [kind, name] = found.$ref.split("/").slice(-2);
  return description.components[kind][name] || {};
}

/** Text in which `words` in backquotes are code. */
function prose(text) {
  const parts = text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
  return make("span", {}, ...parts);
}

// --- what a schema says ---

function typeName(schema) {
  if (schema.contentSchema) return `${typeName(schema.contentSchema)} ↵ …`;
  if (schema.$ref) return schema.$ref.split(/[/.]/).pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" | ");
  if (schema.type === "array") return `${typeName(schema.items || {})}[]`;
  return schema.format || schema.type || say("anything");
}

function limits(schema, patterns = true) {
  const said = [];
  for (const [key, sign] of [["minimum", "≥"], ["maximum", "≤"], ["minLength", "≥ #"], ["maxLength", "≤ #"], ["minItems", "≥ #"], ["maxItems", "≤ #"]]) {
    if (schema[key] !== undefined) said.push(`${sign} ${schema[key]}`);
  }
  if (schema.pattern && patterns) said.push(`/${schema.pattern}/`);
  if (schema.default !== undefined && schema.default !== null && schema.default !== "") said.push(`= ${JSON.stringify(schema.default)}`);
  return said.join("  ");
}

function schemaTree(given, seen = []) {
  const schema = given.contentSchema || given;
  const inner = schema.type === "array" && !schema.$ref ? schema.items || {} : schema;
  const options = inner.anyOf || [inner];
  const trees = options.map((option) => {
    const name = option.$ref;
    const of = resolve(option);
    if (of.type === "array" && !name) return schemaTree(of, seen);
    if (!of.properties || seen.includes(name)) return undefined;
    const list = make("ul", { class: "schema" });
    if (of.description) list.append(make("li", { class: "doc" }, prose(of.description)));
    for (const [key, value] of Object.entries(of.properties)) {
      const must = (of.required || []).includes(key);
      list.append(make("li", {}, key, must ? make("span", { class: "must" }, "*") : "", ": ",
        make("span", { class: "type" }, typeName(value)), " ",
        make("span", { class: "doc" }, limits(value)),
        schemaTree(value, [...seen, name])));
    }
    return list;
  }).filter((tree) => tree);
  return trees.length ? make("div", {}, ...trees) : undefined;
}

function example(schema, depth = 0) {
  if (schema.contentSchema) return example(schema.contentSchema);
  const of = resolve(schema);
  if (of.examples) return of.examples[0];
  if (of.example !== undefined) return of.example;
  if (of.default !== undefined && depth) return of.default;
  if (of.const !== undefined) return of.const;
  if (of.enum) return of.enum[0];
  if (of.anyOf) return example(of.anyOf.find((each) => each.type !== "null") || {}, depth);
  if (depth > 6) return null;
  if (of.properties) {
    const found = {};
    for (const [key, value] of Object.entries(of.properties)) {
      if ((of.required || []).includes(key)) found[key] = SAMPLES[key] ?? example(value, depth + 1);
    }
    return found;
  }
  if (of.type === "array") return of.minItems || !depth || of.items ? [example(of.items || {}, depth + 1)] : [];
  return { integer: of.minimum || 1, number: 1, boolean: false, string: "", object: {} }[of.type] ?? null;
}

const SAMPLES = {
  identifier: "88.901.7/HELLO-1", prefix: "88.901.7", type: "URL", data: "https://example.org/1",
  username: "line-3", name: "example",
};

// --- an operation ---

function inputOf(parameter) {
  const input = make("input", {
    name: parameter.name, placeholder: parameter.example || limits(parameter.schema, false), spellcheck: "false",
  });
  if (parameter.in === "path" && parameter.example) input.value = parameter.example;
  return { parameter, input };
}

function field({ parameter, input }) {
  return make("label", { class: "field" },
    make("span", { class: "name" }, parameter.name, parameter.required ? make("b", {}, " *") : ""),
    make("span", {}, input, make("p", { class: "hint" },
      [say(`in_${parameter.in}`), typeName(parameter.schema), parameter.description].filter(Boolean).join(" · "))));
}

function requestOf(path, method, inputs, body, media) {
  let target = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = $("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = media;
  const search = query.toString();
  return { url: target + (search ? `?${search}` : ""), method: method.toUpperCase(), headers, body: body ? body.value : undefined };
}

function curl({ url, method, headers, body }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -X ${method} ${quote(location.origin + url)}`];
  for (const [name, value] of Object.entries(headers)) {
    parts.push(`-H ${quote(`${name}: ${name === "Authorization" ? "Bearer $TOKEN" : value}`)}`.replaceAll("$TOKEN'", "'\"$TOKEN\""));
  }
  if (body !== undefined) parts.push(`-d ${quote(body)}`);
  return parts.join(" \\\n  ");
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

async function send(request, answer) {
  const began = performance.now();
  answer.replaceChildren(make("p", { class: "hint" }, "…"));
  try {
    const reply = await fetch(request.url, request);
    const text = await reply.text();
    const took = `${Math.round(performance.now() - began)} ms`;
    const shown = [...reply.headers].filter(([name]) => /etag|location|link|retry-after|x-request-id|content-type/.test(name));
    answer.replaceChildren(
      make("h3", {}, say("answer")),
      make("p", {}, make("span", { class: `status ${reply.ok ? "good" : "bad"}` }, `${reply.status} ${reply.statusText}`), ` · ${took}`),
      make("pre", {}, shown.map(([name, value]) => `${name}: ${value}`).join("\n")),
      text ? make("pre", {}, pretty(text)) : undefined);
  } catch (error) {
    answer.replaceChildren(make("p", { class: "status bad" }, `${say("failed")}: ${error.message}`));
  }
}

function inside(path, method, operation) {
  const inputs = (operation.parameters || []).map(inputOf);
  const [media, content] = Object.entries(operation.requestBody?.content || {})[0] || [];
  const body = content && make("textarea", { spellcheck: "false", "aria-label": say("body") });
  if (body) body.value = JSON.stringify(example(content.schema), null, media.includes("ndjson") ? 0 : 2);
  const answer = make("div", { "aria-live": "polite" });
  const request = () => requestOf(path, method, inputs, body, media);
  const show = () => answer.replaceChildren(make("h3", {}, "curl"), make("pre", {}, curl(request())));
  const left = make("form", { onsubmit: (event) => { event.preventDefault(); send(request(), answer); } },
    operation.description ? make("p", { class: "hint" }, prose(operation.description)) : undefined,
    inputs.length ? make("h3", {}, say("parameters")) : undefined,
    ...inputs.map(field),
    body ? make("h3", {}, `${say("body")} · ${media}`) : undefined, body,
    make("div", { class: "actions" },
      make("button", { class: "send", type: "submit" }, say("send")),
      make("button", { type: "button", onclick: show }, "curl"),
      operation.security.length ? make("span", { class: "hint" }, say("needs_token")) : undefined),
    answer);
  return make("div", { class: "inside" }, left, described(operation, content));
}

function described(operation, content) {
  const right = make("div", {});
  if (content) right.append(make("h3", {}, say("body")), schemaTree(content.schema) || "");
  const rows = [];
  for (const [status, said] of Object.entries(operation.responses)) {
    const response = resolve(said);
    const schema = Object.values(response.content || {})[0]?.schema;
    if (Number(status) < 400) {
      right.append(make("h3", {}, `${status} · ${schema ? typeName(schema) : say("nothing")}`), (schema && schemaTree(schema)) || "");
    } else {
      rows.push(make("tr", {}, make("td", {}, make("span", { class: "status bad" }, status)),
        make("td", {}, make("code", {}, response.description.replaceAll("`", "")))));
    }
  }
  right.append(make("h3", {}, say("refusals")), make("table", {}, make("tbody", {}, ...rows)));
  return right;
}

function operationView(path, method, operation) {
  const what = (language === "zh" && SUMMARIES[operation.operationId]) || operation.summary;
  const details = make("details", { class: "operation", id: operation.operationId },
    make("summary", {}, make("span", { class: `method ${method}` }, method), make("code", {}, path),
      make("span", { class: "what" }, prose(what))));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(inside(path, method, operation));
  });
  details.dataset.text = `${method} ${path} ${operation.operationId} ${operation.summary} ${what}`.toLowerCase();
  const link = make("a", { href: `#${operation.operationId}`, onclick: () => { details.open = true; } },
    make("span", { class: `method ${method}` }, method === "delete" ? "del" : method), prose(what));
  return { details, link };
}

// --- the page ---

function operationsByTag() {
  const tags = new Map(description.tags.map(({ name }) => [name, []]));
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const method of METHODS) {
      if (methods[method]) tags.get(methods[method].tags[0]).push([path, method, methods[method]]);
    }
  }
  return tags;
}

function render() {
  document.documentElement.lang = language;
  $("title").replaceChildren(say("title"), " ", make("small", {}, description.info.version));
  $("filter").placeholder = say("filter");
  $("token-label").textContent = say("token");
  $("language").textContent = say("other_language");
  $("about").textContent = "";
  $("about").append(prose(language === "zh" ? say("about") : description.info.description));
  const index = [];
  const main = [$("about")];
  for (const [tag, operations] of operationsByTag()) {
    const name = (language === "zh" && TAGS[tag]) || tag;
    const views = operations.map((operation) => operationView(...operation));
    index.push(make("h2", {}, name), ...views.map((view) => view.link));
    main.push(make("h2", {}, name), ...views.map((view) => view.details));
  }
  $("index").replaceChildren(...index);
  $("operations").replaceChildren(...main);
  filter();
}

function filter() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const details of document.querySelectorAll("details.operation")) {
    const fits = words.every((word) => details.dataset.text.includes(word));
    details.classList.toggle("hidden", !fits);
    document.querySelector(`nav a[href="#${details.id}"]`).classList.toggle("hidden", !fits);
  }
}

async function start() {
  description = await (await fetch("/openapi.json")).json();
  $("token").value = sessionStorage.getItem("idnode-token") || "";
  $("token").addEventListener("input", () => sessionStorage.setItem("idnode-token", $("token").value));
  $("filter").addEventListener("input", filter);
  $("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    localStorage.setItem("idnode-language", language);
    render();
  });
  render();
  const asked = document.getElementById(location.hash.slice(1));
  if (asked && asked.tagName === "DETAILS") { asked.open = true; asked.scrollIntoView(); }
}

start();
