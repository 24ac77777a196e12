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

  // Pixels of a point of the map with coordinates from 0 to 1, y upwards.
  at(x, y) {
    const [width, height] = this.size, { zoom } = this.view;
    return [
      MAP_MARGIN + (x - this.view.x) * zoom * (width - 2 * MAP_MARGIN),
      MAP_MARGIN + (1 - y - this.view.y) * zoom * (height - 2 * MAP_MARGIN),
    ];
  }

  place(i) {
    return this.at(this.data.arrays.points[2 * i] / 65535, this.data.arrays.points[2 * i + 1] / 65535);
  }

  // ---- drawing

  draw() {
    const [width, height] = this.size, ratio = devicePixelRatio || 1;
    if (!width) return;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const layers = this.dots();
    if (this.data.shown > MANY) this.drawPixels(context, layers, ratio);
    else this.paint(layers, ({ color, alpha, radius }, dots) => {
      context.globalAlpha = alpha;
      context.fillStyle = color;
      context.beginPath();
      for (const [x, y] of dots) {
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 7);
      }
      context.fill();
    });
    context.globalAlpha = 1;
    if (this.state.text != null) {
      const [x, y] = this.place(this.state.text);
      context.strokeStyle = getComputedStyle(document.body).color;
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(x, y, 8, 0, 7);
      context.stroke();
    }
    this.drawNames();
  }

  // Many points are set pixel by pixel, which takes a tenth of the time.
  drawPixels(context, layers, ratio) {
    const { width, height } = this.canvas, image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const { color, alpha, radius, places } of layers) {
      const [red, green, blue] = [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16));
      const value = (Math.round(255 * alpha) << 24) | (blue << 16) | (green << 8) | red;
      const side = Math.max(2, Math.round(2 * radius * ratio));
      for (const i of places) {
        const [x, y] = this.place(i), left = Math.round(x * ratio - side / 2), top = Math.round(y * ratio - side / 2);
        if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
        for (let row = top; row < top + side; row++) pixels.fill(value, row * width + left, row * width + left + side);
      }
    }
    context.putImageData(image, 0, 0);
  }

  // How a text looks, by topic and by what is asked for.
  dots() {
    const { data, state } = this, dark = isDark() ? 1 : 0;
    const crowd = Math.max(1.1, Math.min(4, 3.4 * Math.sqrt(1500 / data.shown))) * Math.min(1.8, Math.sqrt(this.view.zoom));
    const scale = this.size[0] < 500 ? 0.75 : 1;
    const found = state.found && new Set(state.found.rows), layers = new Map();
    const groups = data.topics.map(each => data.group(each.number)), away = groups.map(k => data.hidden(k));
    for (let i = 0; i < data.shown; i++) {
      const row = data.arrays.rows[i], own = data.topicOf(row), topic = groups[own], hidden = away[own];
      const asked = (!found || found.has(row)) && (state.selected == null || !state.dims || topic === state.selected);
      const key = hidden ? "h" : `${asked ? 1 : 0} ${topic}`;
      if (!layers.has(key)) {
        const color = hidden ? "#8a94a0" : data.colors[topic][dark];
        layers.set(key, { color, alpha: hidden ? 0.12 : asked ? 0.85 : 0.1, radius: Math.max(1, crowd * scale), places: [] });
      }
      layers.get(key).places.push(i);
    }
    return [...layers.values()].sort((a, b) => a.alpha - b.alpha);
  }

  paint(layers, draw) {
    const [width, height] = this.size;
    for (const layer of layers)
      draw(layer, layer.places.map(i => this.place(i)).filter(([x, y]) => x > -9 && y > -9 && x < width + 9 && y < height + 9));
  }

  drawNames() {
    const [width, height] = this.size;
    this.names.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.names.replaceChildren(...this.placedNames().map(({ topic, text, x, y, size }) => {
      const { selected, dims } = this.state;
      const chosen = topic === selected && dims;
      const element = make("text", { class: `k${topic}${chosen ? " chosen" : dims && selected != null ? " faint" : ""}`, x, y, "font-size": size, "data-topic": topic }, text);
      element.append(make("title", {}, `${this.data.name(topic)}, ${count(this.data.size(topic))} ${this.data.texts}`));
      element.addEventListener("click", () => this.state.select(topic));
      return element;
    }));
  }

  // Names near the densest point of their topic, larger topics first: whole, else their beginning, else their number.
  placedNames() {
    const { data } = this, [width, height] = this.size;
    const context = this.canvas.getContext("2d"), family = getComputedStyle(document.body).fontFamily;
    const topics = data.groups.filter(k => !data.hidden(k)).sort((a, b) => data.size(b) - data.size(a));
    const most = Math.max(1, ...topics.map(k => data.size(k))), base = width < 500 ? 10.5 : 12;
    // Of many topics each has room for a short name; zooming in makes room.
    const longest = Math.max(8, Math.min(30, (width * this.view.zoom * 1.2) / topics.length));
    const taken = [], placed = [];
    const fits = box => box[0] > 1 && box[1] > 1 && box[2] < width - 1 && box[3] < height - 1 &&
      taken.every(other => box[2] < other[0] || other[2] < box[0] || box[3] < other[1] || other[3] < box[1]);
    for (const topic of topics) {
      const share = Math.sqrt(data.size(topic) / most), size = Math.round(2 * base * (0.85 + 0.65 * share)) / 2;
      const [cx, cy] = this.at(...data.centers[topic]);
      if (cx < 0 || cy < 0 || cx > width || cy > height) continue;
      const words = data.label(topic).split(/,\s*/);
      const texts = [...new Set([words.length, 2, 1].map(n => words.slice(0, n).join(", ")))].filter(text => text.length <= longest);
      texts.push(...(texts.length ? [] : [words[0].length <= 18 ? words[0] : `${words[0].slice(0, 16)}…`]), String(topic));
      search: for (const offsets of OFFSETS)
        for (const text of texts) {
          const font = text === String(topic) ? base : size;
          context.font = `650 ${font}px ${family}`;
          const half = context.measureText(text).width / 2 + 3, tall = font * 0.66;
          for (const [dx, dy] of offsets) {
            const x = inside(cx + dx * half, half + 2, width - half - 2), y = inside(cy + dy * font * 1.25, tall + 2, height - tall - 2);
            const box = [x - half, y - tall, x + half, y + tall];
            if (!fits(box)) continue;
            taken.push(box);
            placed.push({ topic, text, x, y: y + font * 0.35, size: font });
            break search;
          }
        }
    }
    return placed;
  }

  // The map as it is shown, as an SVG.
  toSvg() {
    const [width, height] = this.size;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, class: "names export" });
    this.paint(this.dots(), ({ color, alpha, radius }, dots) => {
      const d = dots.map(([x, y]) => `M${(x - radius).toFixed(1)} ${y.toFixed(1)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`).join("");
      svg.append(make("path", { d, fill: color, opacity: alpha, stroke: "none" }));
    });
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
    let best = null, least = REACH;
    for (let i = 0; i < this.data.shown; i++) {
      const [a, b] = this.place(i);
      if (Math.abs(a - x) > least || Math.abs(b - y) > least) continue;
      const distance = Math.hypot(a - x, b - y);
      if (distance < least && !this.data.hidden(this.data.topicOf(this.data.arrays.rows[i]))) [best, least] = [i, distance];
    }
    return best;
  }

  point(position) {
    const i = this.nearest(position), { data, tip } = this;
    tip.hidden = i == null;
    if (i == null) return;
    const topic = data.group(data.topicOf(data.arrays.rows[i]));
    tip.replaceChildren(make("b", {}, data.title(i)), make("span", { class: "soft" }, data.name(topic)), make("span", {}, data.text(i)));
    const [width, height] = this.size, [x, y] = this.place(i);
    tip.style.left = `${Math.max(0, Math.min(width - tip.offsetWidth, x + 12))}px`;
    tip.style.top = `${y + 14 + tip.offsetHeight > height && y - 14 - tip.offsetHeight > 0 ? y - 14 - tip.offsetHeight : y + 14}px`;
  }
}

// Where a name may stand beside its point, in half widths and lines: near places first, then those farther away.
const OFFSETS = [[[0, 0], [0, -1], [0, 1]], [[1.1, 0], [-1.1, 0], [0.5, -1], [-0.5, -1], [0.5, 1], [-0.5, 1]]];
for (let ring = 2; ring <= 5; ring++) OFFSETS.push([0, -0.5, 0.5, -1, 1].flatMap(side => [[side, -ring], [side, ring]]));
