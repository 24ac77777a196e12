// The map of texts: points on a canvas, names of topics over it that do not overlap, zoom by wheel, pinch, buttons and keys.

const REACH = 12; // a pointer so many pixels from a point points at it
const MAP_MARGIN = 26;
const MANY = 20000;
const inside = (value, least, most) => Math.min(most, Math.max(least, value));

class TopicMap {
  constructor(data, state) {
    Object.assign(this, { data, state });
    this.canvas = make("canvas", { class: "points", "aria-hidden": "true" });
    this.names = make("svg", { class: "names", "aria-hidden": "true" });
    this.tip = make("div", { class: "tip", hidden: "" });
    this.element = make("div", {
      class: "stage", tabindex: 0, role: "application",
      "aria-label": `Map of ${data.texts}. Plus and minus zoom, arrow keys move, 0 shows all. The list of ${data.plural} and the search choose by keyboard.`,
    }, this.canvas, this.names, this.tip);
    this.view = { x: 0, y: 0, zoom: 1 };
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  get size() {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  // What turns a point of the map, with coordinates from 0 to 1 and y upwards, into pixels: x = left + across * x, y = top - down * y.
  frame() {
    const [width, height] = this.size, { x, y, zoom } = this.view;
    const across = zoom * (width - 2 * MAP_MARGIN), down = zoom * (height - 2 * MAP_MARGIN);
    return { left: MAP_MARGIN - x * across, across, top: MAP_MARGIN + (1 - y) * down, down };
  }

  // Pixels of all points, x and y in turn.
  pixels() {
    const { points } = this.data.arrays, { left, across, top, down } = this.frame(), found = new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 2) {
      found[i] = left + (across / 65535) * points[i];
      found[i + 1] = top - (down / 65535) * points[i + 1];
    }
    return found;
  }

  // ---- drawing

  draw() {
    const [width, height] = this.size, ratio = devicePixelRatio || 1;
    if (!width) return;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.at = this.pixels();
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    if (this.data.shown > MANY) this.drawSquares(context, ratio);
    else for (const { color, alpha, radius, places } of this.layers()) {
      context.globalAlpha = alpha;
      context.fillStyle = color;
      context.beginPath();
      for (const i of places) {
        context.moveTo(this.at[2 * i] + radius, this.at[2 * i + 1]);
        context.arc(this.at[2 * i], this.at[2 * i + 1], radius, 0, 7);
      }
      context.fill();
    }
    context.globalAlpha = 1;
    if (this.state.text != null) {
      context.strokeStyle = getComputedStyle(document.body).color;
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(this.at[2 * this.state.text], this.at[2 * this.state.text + 1], 8, 0, 7);
      context.stroke();
    }
    this.drawNames();
  }

  // Many points are set pixel by pixel, which takes a tenth of the time.
  drawSquares(context, ratio) {
    const { width, height } = this.canvas, image = context.createImageData(width, height), { at } = this;
    const pixels = new Uint32Array(image.data.buffer);
    for (const { color, alpha, radius, places } of this.layers()) {
      const [red, green, blue] = [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16));
      const value = (Math.round(255 * alpha) << 24) | (blue << 16) | (green << 8) | red;
      const side = Math.max(2, Math.round(2 * radius * ratio));
      for (const i of places) {
        const left = Math.round(at[2 * i] * ratio - side / 2), top = Math.round(at[2 * i + 1] * ratio - side / 2);
        if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
        for (let row = top; row < top + side; row++)
          for (let column = left; column < left + side; column++) pixels[row * width + column] = value;
      }
    }
    context.putImageData(image, 0, 0);
  }

  // The points that are in sight by how they look: hidden, not asked for, asked for, each in the color of its topic.
  layers() {
    const { data, state, at } = this, { rows } = data.arrays, dark = isDark() ? 1 : 0, [width, height] = this.size;
    const crowd = Math.max(1.1, Math.min(4, 3.4 * Math.sqrt(1500 / data.shown))) * Math.min(1.8, Math.sqrt(this.view.zoom));
    const radius = Math.max(1, crowd * (width < 500 ? 0.75 : 1)), groups = data.topics.map(each => data.group(each.number));
    const away = groups.map(k => data.hidden(k)), marked = state.found?.marked, number = groups.length, layers = [];
    for (let i = 0; i < data.shown; i++) {
      if (at[2 * i] < -9 || at[2 * i] > width + 9 || at[2 * i + 1] < -9 || at[2 * i + 1] > height + 9) continue;
      const own = data.topicOf(rows[i]), topic = groups[own];
      const asked = (!marked || marked[rows[i]]) && (state.selected == null || !state.dims || topic === state.selected);
      const layer = away[own] ? 0 : (asked ? number : 0) + topic + 1;
      (layers[layer] ??= []).push(i);
    }
    return layers.map((places, layer) => {
      const topic = (layer - 1) % number;
      return { color: layer ? data.colors[topic][dark] : "#8a94a0", alpha: layer > number ? 0.85 : layer ? 0.1 : 0.12, radius, places };
    }).filter(Boolean);
  }

  drawNames() {
    const [width, height] = this.size, { selected, dims } = this.state;
    const look = topic => `k${topic}${topic === selected && dims ? " chosen" : dims && selected != null ? " faint" : ""}`;
    const placed = this.placedNames(), lines = placed.filter(each => each.line);
    this.names.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.names.replaceChildren(...lines.map(({ topic, line }) => make("path", { class: `leader ${look(topic)}`, d: `M${line.map(part => part.toFixed(1)).join(" ")}` })),
      ...placed.map(({ topic, text, x, y, size }) => {
        const element = make("text", { class: look(topic), x, y, "font-size": size, "data-topic": topic }, text);
        element.append(make("title", {}, `${this.data.name(topic)}, ${count(this.data.size(topic))} ${this.data.texts}`));
        element.addEventListener("click", () => this.state.select(topic));
        return element;
      }));
  }

  // Names beside the densest point of their topic, larger topics first: of all places that are free and all shorter forms of the
  // name the one that costs least. A name away from its point has a line to it.
  placedNames() {
    const { data } = this, [width, height] = this.size, { left, across, top, down } = this.frame();
    const topics = data.groups.filter(k => !data.hidden(k)).sort((a, b) => data.size(b) - data.size(a));
    const key = JSON.stringify([width, height, left, across, top, down, topics.map(k => data.label(k))]);
    if (key === this.placedFor) return this.placedBefore;
    const context = this.canvas.getContext("2d"), family = getComputedStyle(document.body).fontFamily;
    const most = Math.max(1, ...topics.map(k => data.size(k))), base = width < 500 ? 10.5 : 12;
    const points = topics.map(k => [left + across * data.centers[k][0], top - down * data.centers[k][1]]);
    // Of many topics each has room for a short name; zooming in makes room.
    const longest = Math.max(8, Math.min(30, (width * this.view.zoom * 1.2) / topics.length));
    const taken = [], placed = [];
    topics.forEach((topic, number) => {
      const [cx, cy] = points[number];
      if (cx < 0 || cy < 0 || cx > width || cy > height) return;
      const size = Math.round(2 * base * (0.85 + 0.65 * Math.sqrt(data.size(topic) / most))) / 2;
      const forms = shortForms(data.label(topic), longest).map(([text, cost]) => ({ text, cost, font: size }));
      let best = null, least = Infinity;
      for (const { text, cost, font } of [...forms, { text: String(topic), cost: 8, font: base }]) {
        context.font = `650 ${font}px ${family}`;
        const half = context.measureText(text).width / 2 + 3, tall = font * 0.66;
        if (2 * half > width - 4) continue;
        for (const [dx, dy, away] of NAME_PLACES) {
          if (cost + away >= least) break;
          const x = inside(cx + dx * (half + 5), half + 2, width - half - 2), y = inside(cy + dy * font * 1.25, tall + 2, height - tall - 2);
          const box = [x - half, y - tall, x + half, y + tall];
          if (taken.some(other => box[2] > other[0] && other[2] > box[0] && box[3] > other[1] && other[3] > box[1])) continue;
          [best, least] = [{ topic, text, box, x, y: y + font * 0.35, size: font }, cost + away];
          break;
        }
      }
      if (!best) return;
      const [x0, y0, x1, y1] = best.box, end = [inside(cx, x0 + 3, x1 - 3), inside(cy, y0 + 2, y1 - 2)];
      if (Math.hypot(end[0] - cx, end[1] - cy) > 10) best.line = [cx, cy, ...end];
      taken.push(best.box);
      placed.push(best);
    });
    this.placedFor = key;
    return (this.placedBefore = placed);
  }

  // The map as it is shown, as an SVG.
  toSvg() {
    const [width, height] = this.size;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, class: "names export" });
    for (const { color, alpha, radius, places } of this.layers()) {
      const disk = i => `M${(this.at[2 * i] - radius).toFixed(1)} ${this.at[2 * i + 1].toFixed(1)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
      svg.append(make("path", { d: places.map(disk).join(""), fill: color, opacity: alpha, stroke: "none" }));
    }
    svg.append(...[...this.names.children].map(each => each.cloneNode(true)));
    this.element.append(svg); // styles apply to what is in the page
    const text = standalone(svg);
    svg.remove();
    return text;
  }

  // ---- moving

  zoomAt(factor, x = this.size[0] / 2, y = this.size[1] / 2) {
    const [width, height] = this.size, before = this.view.zoom;
    const zoom = Math.min(40, Math.max(1, before * factor));
    this.view.x += ((x - MAP_MARGIN) / (width - 2 * MAP_MARGIN)) * (1 / before - 1 / zoom);
    this.view.y += ((y - MAP_MARGIN) / (height - 2 * MAP_MARGIN)) * (1 / before - 1 / zoom);
    this.view.zoom = zoom;
    this.move(0, 0);
  }

  move(dx, dy) {
    const [width, height] = this.size, { zoom } = this.view, room = 1 - 1 / zoom;
    this.view.x = inside(this.view.x - dx / zoom / (width - 2 * MAP_MARGIN), 0, room);
    this.view.y = inside(this.view.y - dy / zoom / (height - 2 * MAP_MARGIN), 0, room);
    this.element.classList.toggle("zoomed", zoom > 1);
    this.tip.hidden = true;
    this.draw();
  }

  showAll() {
    this.view = { x: 0, y: 0, zoom: 1 };
    this.move(0, 0);
  }

  listen() {
    const { element } = this, here = event => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    element.addEventListener("wheel", event => {
      if (event.deltaY > 0 && this.view.zoom === 1) return; // the page scrolls on
      event.preventDefault();
      this.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...here(event));
    }, { passive: false });
    element.addEventListener("pointerdown", event => {
      this.pointers.set(event.pointerId, here(event));
      this.moved = this.pointers.size > 1;
      this.start = here(event);
    });
    element.addEventListener("pointermove", event => {
      if (!this.pointers.has(event.pointerId)) return this.point(here(event));
      const [x, y] = here(event), [oldX, oldY] = this.pointers.get(event.pointerId);
      if (this.pointers.size === 2) {
        const [, [otherX, otherY]] = [...this.pointers].find(([id]) => id !== event.pointerId);
        const factor = Math.hypot(x - otherX, y - otherY) / Math.max(1, Math.hypot(oldX - otherX, oldY - otherY));
        this.zoomAt(factor, (x + otherX) / 2, (y + otherY) / 2);
      } else if (this.moved || Math.hypot(x - this.start[0], y - this.start[1]) > 4) {
        this.moved = true;
        if (this.view.zoom > 1) this.move(x - oldX, y - oldY);
      }
      this.pointers.set(event.pointerId, [x, y]);
    });
    addEventListener("pointerup", event => {
      const was = this.pointers.delete(event.pointerId);
      if (!was || this.moved || !element.contains(event.target) || event.target.closest("text")) return;
      const near = this.nearest(here(event));
      if (near != null) this.state.choose(near);
      else this.state.select(null);
    });
    addEventListener("pointercancel", event => this.pointers.delete(event.pointerId));
    element.addEventListener("pointerleave", () => (this.tip.hidden = true));
    element.addEventListener("keydown", event => {
      const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
      if (event.key in moves && this.view.zoom > 1) this.move(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoomAt(1.5);
      else if (event.key === "-") this.zoomAt(1 / 1.5);
      else if (event.key === "0" || event.key === "Escape") this.showAll();
      else return;
      event.preventDefault();
    });
  }

  nearest([x, y]) {
    const { data, at } = this;
    let best = null, least = REACH ** 2;
    for (let i = 0; i < data.shown; i++) {
      const distance = (at[2 * i] - x) ** 2 + (at[2 * i + 1] - y) ** 2;
      if (distance < least && !data.hidden(data.topicOf(data.arrays.rows[i]))) [best, least] = [i, distance];
    }
    return best;
  }

  point(position) {
    const i = this.nearest(position), { data, tip } = this;
    tip.hidden = i == null;
    if (i == null) return;
    const topic = data.group(data.topicOf(data.arrays.rows[i]));
    tip.replaceChildren(make("b", {}, data.title(i)), make("span", { class: "soft" }, data.name(topic)), make("span", {}, data.text(i)));
    const [width, height] = this.size, [x, y] = this.at.subarray(2 * i, 2 * i + 2);
    tip.style.left = `${Math.max(0, Math.min(width - tip.offsetWidth, x + 12))}px`;
    tip.style.top = `${y + 14 + tip.offsetHeight > height && y - 14 - tip.offsetHeight > 0 ? y - 14 - tip.offsetHeight : y + 14}px`;
  }
}

// A name of several words and its shorter forms, with what each costs.
function shortForms(label, longest) {
  const words = label.split(/,\s*/), forms = new Map();
  [words.length, 2, 1].forEach((number, step) => forms.set(words.slice(0, number).join(", "), step));
  const fitting = [...forms].filter(([text]) => text.length <= longest || text.length <= 12);
  return [...fitting, ...[12, 8].filter(size => words[0].length > size).map((size, step) => [`${words[0].slice(0, size - 1)}…`, 3 + 2 * step])];
}

// Where a name may stand beside its point, in half widths and lines, and what the distance costs: rings of places, nearest first.
const NAME_PLACES = [[0, 0, 0]];
for (const dy of [-1, 1]) for (const dx of [0, -0.5, 0.5]) NAME_PLACES.push([dx, dy, 0.4 + Math.abs(dx) / 5]);
for (const dx of [-1, 1]) NAME_PLACES.push([dx, 0, 0.6]);
for (let ring = 2; ring <= 12; ring++)
  for (let step = 0; step < 16; step++) {
    const angle = (step * Math.PI) / 8;
    NAME_PLACES.push([Math.cos(angle) * (0.7 + ring / 4), ring * Math.sin(angle), ring / 2]);
  }
NAME_PLACES.sort((a, b) => a[2] - b[2]);
