// What the other scripts of the page share. Text enters the page as text nodes alone.
"use strict";

const findings = JSON.parse(document.getElementById("findings").textContent);
const lookUp = path => path.split(".").reduce((value, key) => (value == null ? value : value[key]), findings);

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "line", "rect", "text", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const plainButton = (text, onclick, attributes = {}) => make("button", { type: "button", class: "plain", onclick, ...attributes }, text);

// Rows of strings or numbers as CSV (RFC 4180).
function toCsv(rows) {
  const cell = value => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return rows.map(row => row.map(cell).join(",") + "\r\n").join("");
}

const fileName = name => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");

function saveFile(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const downloadCsv = (name, rows) => saveFile(`${fileName(name)}.csv`, new Blob([toCsv(rows)], { type: "text/csv;charset=utf-8" }));

const percent = share => (share < 0.1 ? `${(100 * share).toFixed(2)}%` : `${(100 * share).toFixed(1)}%`);
