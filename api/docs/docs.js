// Draws the API from its OpenAPI document.
"use strict";

const methods = ["get", "post", "put", "patch", "delete"];

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// outline writes a schema as the JSON it describes, one field per line.
function outline(api, schema, depth = 0) {
  if (!schema) return "";
  if (schema.$ref) {
    if (depth > 6) return "…";
    return outline(api, api.components.schemas[schema.$ref.split("/").pop()], depth);
  }
  const types = [schema.type ?? "any"].flat();
  const orNull = types.includes("null") ? " | null" : "";
  const inner = "  ".repeat(depth + 1);
  const end = "  ".repeat(depth);
  if (types.includes("array")) return `[${outline(api, schema.items, depth)}]${orNull}`;
  if (types.includes("object") && schema.properties) {
    const required = new Set(schema.required ?? []);
    const lines = Object.entries(schema.properties).map(([name, field]) => {
      const said = told(field);
      const note = said ? `  // ${said}` : "";
      return `${inner}${name}${required.has(name) ? "" : "?"}: ${outline(api, field, depth + 1)}${note}`;
    });
    return `{\n${lines.join("\n")}\n${end}}${orNull}`;
  }
  if (types.includes("object")) {
    return typeof schema.additionalProperties === "object"
      ? `{ "…": ${outline(api, schema.additionalProperties, depth)} }${orNull}` : `{ … }${orNull}`;
  }
  const type = types.filter((t) => t !== "null").join(" | ");
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ") + orNull;
  return (schema.format ? `${type} (${schema.format})` : type) + orNull;
}

// told is what a field means, with an example of it.
function told(field, description = field?.description, example = field?.examples?.[0]) {
  const such = example === undefined ? "" : `For example ${typeof example === "string" ? example : JSON.stringify(example)}`;
  return [description, such].filter(Boolean).join(" ");
}

function exampleText(example) {
  return typeof example === "object" ? JSON.stringify(example, null, 2) : example;
}

function contentOf(api, content) {
  return Object.entries(content ?? {}).flatMap(([type, media]) => [
    element("h4", {}, type),
    element("pre", {}, exampleText(media.example) ?? outline(api, media.schema)),
  ]);
}

function whoMayCall(operation) {
  const ways = (operation.security ?? []).flatMap(Object.keys);
  if (ways.length === 0) return "anybody";
  return ways.map((way) => ({ token: "an API token", session: "a session", webhook: "the webhook token" })[way] ?? way).join(" or ");
}

function draw(api, path, method, operation) {
  const id = operation.operationId;
  const shown = element("details", { id },
    element("summary", {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("code", {}, path),
      element("span", { class: "what" }, operation.summary ?? "")),
    element("p", {}, `Who may call it: ${whoMayCall(operation)}.`));
  if (operation.parameters?.length) {
    const rows = operation.parameters.map((p) => element("tr", {},
      element("td", {}, element("code", {}, p.name)),
      element("td", {}, p.in + (p.required ? ", required" : "")),
      element("td", {}, outline(api, p.schema)),
      element("td", {}, told(p.schema, p.description, p.example ?? p.schema?.examples?.[0]))));
    shown.append(element("h4", {}, "Parameters"), element("table", {}, ...rows));
  }
  if (operation.requestBody) {
    shown.append(element("h4", {}, "Body"));
    if (operation.requestBody.description) shown.append(element("p", {}, operation.requestBody.description));
    shown.append(...contentOf(api, operation.requestBody.content));
  }
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    const name = status === "default" ? "Errors" : `Answer ${status}`;
    shown.append(element("h4", {}, name), ...contentOf(api, response.content));
  }
  return shown;
}

async function main() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
  const api = await answer.json();
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("description").textContent = api.info.description ?? "";

  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((m) => item[m])) {
      const tag = item[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), [path, method, item[method]]]);
    }
  }
  const contents = document.getElementById("contents");
  const operations = document.getElementById("operations");
  operations.replaceChildren();
  for (const [tag, entries] of groups) {
    operations.append(element("h2", {}, tag));
    for (const [path, method, operation] of entries) {
      operations.append(draw(api, path, method, operation));
      contents.append(element("a", { href: `#${operation.operationId}` },
        element("span", { class: `method ${method}` }, method.toUpperCase()), path));
    }
  }
  const openLinked = () => {
    const linked = document.getElementById(location.hash.slice(1));
    if (linked) { linked.open = true; linked.scrollIntoView(); }
  };
  addEventListener("hashchange", openLinked);
  openLinked();
}

main().catch((error) => {
  document.getElementById("operations").textContent = `The document could not be shown: ${error.message}`;
});
