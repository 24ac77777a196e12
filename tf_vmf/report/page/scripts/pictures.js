// Pictures: drawn as SVG, saved as SVG and PNG.

const DRAWN = ["fill", "stroke", "stroke-width", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "paint-order"];

// A copy of an SVG with the colors of the page written into it, on paper.
function standalone(svg) {
  const copy = svg.cloneNode(true), box = svg.viewBox.baseVal;
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of DRAWN) if (style.getPropertyValue(name)) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  const paper = make("rect", { x: box.x, y: box.y, width: box.width, height: box.height, fill: getComputedStyle(document.body).backgroundColor });
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

const svgUri = text => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;

// Saves an image at twice its size as PNG.
async function savePng(name, uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = make("canvas", { width: 2 * image.width, height: 2 * image.height });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.drawImage(image, 0, 0, image.width, image.height);
  canvas.toBlob(blob => saveFile(name, blob), "image/png");
}

// Two buttons for a picture; `source` gives the text of an SVG when it is asked for.
function saveButtons(name, source) {
  return [
    plainButton("SVG", () => saveFile(`${fileName(name)}.svg`, new Blob([source()], { type: "image/svg+xml" })), { "aria-label": `Save as SVG: ${name}` }),
    plainButton("PNG", () => savePng(`${fileName(name)}.png`, svgUri(source())), { "aria-label": `Save as PNG: ${name}` }),
  ];
}

// Figures that were drawn when the page was written.
for (const image of document.querySelectorAll("figure img")) {
  const name = image.closest("section").querySelector("h2").textContent;
  const isSvg = image.src.startsWith("data:image/svg");
  const save = () => saveFile(`${fileName(name)}.svg`, new Blob([atob(image.src.split(",")[1])], { type: "image/svg+xml" }));
  image.closest("figure").append(make("div", { class: "tools" },
    ...(isSvg ? [plainButton("SVG", save, { "aria-label": `Save as SVG: ${name}` })] : []),
    plainButton("PNG", () => savePng(`${fileName(name)}.png`, image.src), { "aria-label": `Save as PNG: ${name}` })));
}

// ---- charts

// Lines over ordered groups, with bands: `lines` is [{ topic, name, shares: [{ share, low, high }] }].
function lineChart(values, lines, { width = 640, height = 260, label }) {
  const left = 46, right = 10, top = 10, bottom = 40;
  const banded = lines.length === 1 && values.length > 1;
  const most = Math.max(0.01, ...lines.flatMap(line => line.shares.map(each => (banded ? each.high : each.share))));
  const x = i => left + ((width - left - right) * (values.length > 1 ? i / (values.length - 1) : 0.5));
  const y = share => top + (height - top - bottom) * (1 - share / most);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": label });
  for (const part of [0, 0.5, 1]) {
    svg.append(make("line", { class: "grid", x1: left, x2: width - right, y1: y(part * most), y2: y(part * most) }));
    svg.append(make("text", { class: "end", x: left - 6, y: y(part * most) + 4 }, `${(100 * part * most).toFixed(most < 0.1 ? 1 : 0)}%`));
  }
  const step = Math.ceil(values.length / Math.max(2, Math.floor(width / 90)));
  values.forEach((value, i) => {
    const last = i && i === values.length - 1;
    if (i % step === 0) svg.append(make("text", { class: last ? "end" : "middle", x: x(i) + (last ? right : 0), y: height - bottom + 18 }, value));
  });
  for (const { topic, name, shares } of lines) {
    const point = key => i => `${x(i).toFixed(1)},${y(shares[i][key]).toFixed(1)}`, runs = [];
    // A period without texts is a gap, and no share of 0.
    shares.forEach((each, i) => each.total && (i && shares[i - 1].total ? runs.at(-1).push(i) : runs.push([i])));
    const path = draw => runs.map(run => `M${draw(run).join("L")}`).join("");
    if (banded)
      svg.append(make("path", { class: `k${topic} band`, d: path(run => [...run.map(point("high")), ...run.map(point("low")).reverse()]) }));
    const line = make("path", { class: `k${topic} line`, d: path(run => run.map(point("share"))) });
    line.append(make("title", {}, name));
    svg.append(line);
    if (values.length < 40) for (const [i, each] of shares.entries()) if (each.total) {
      const dot = make("circle", { class: `k${topic} dot`, cx: x(i), cy: y(each.share), r: 2.6 });
      dot.append(make("title", {}, `${name}, ${values[i]}: ${percent(each.share)}`));
      svg.append(dot);
    }
  }
  return svg;
}

// Wilson's interval of a share at 95 %.
function wilson(part, total) {
  if (!total) return { share: 0, low: 0, high: 0, total };
  const z2 = 3.8416, share = part / total, middle = (share + z2 / (2 * total)) / (1 + z2 / total);
  const half = (Math.sqrt(z2 * (share * (1 - share) + z2 / (4 * total)) / total)) / (1 + z2 / total);
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half), total };
}

// Colored cells: `value(i, j)` in [0, 1], `title(i, j)` its text; a click calls `choose(i, j)`.
function matrixChart(rows, columns, { value, title, choose, label, room }) {
  const letters = room < 500 ? 15 : 26, most = Math.max(...rows.map(name => name.length));
  const cell = Math.max(room < 500 ? 13 : 10, Math.min(30, Math.floor((room - 7.2 * Math.min(letters, most) - 70) / columns.length)));
  const font = Math.min(12, 0.95 * cell), left = 0.62 * font * Math.min(letters, most) + 12;
  const top = 9.6 * font + 8, width = left + cell * columns.length + 5 * font;
  const short = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const svg = make("svg", { viewBox: `0 0 ${width} ${top + cell * rows.length + 6}`, class: "chart matrix", role: "img", "aria-label": label, width });
  svg.append(make("rect", { class: "ground", x: left, y: top, width: cell * columns.length, height: cell * rows.length }));
  columns.forEach((name, j) => {
    const text = make("text", { transform: `translate(${left + cell * (j + 0.5) + font / 3} ${top - 6}) rotate(-62)` }, short(name, 17));
    text.append(make("title", {}, name));
    text.style.fontSize = `${font}px`;
    svg.append(text);
  });
  rows.forEach((name, i) => {
    const line = make("text", { class: "end", x: left - 8, y: top + cell * (i + 0.5) + font / 3 }, short(name, letters));
    line.style.fontSize = `${font}px`;
    line.append(make("title", {}, name));
    svg.append(line);
    for (let j = 0; j < columns.length; j++) {
      const box = make("rect", { class: "cell", x: left + cell * j, y: top + cell * i, width: cell - 1, height: cell - 1, "fill-opacity": value(i, j).toFixed(3) });
      box.append(make("title", {}, title(i, j)));
      box.addEventListener("click", () => choose(i, j));
      svg.append(box);
    }
  });
  return svg;
}
