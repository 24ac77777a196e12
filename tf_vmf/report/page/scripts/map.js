// The map: point at a mark, choose it, search, filter, zoom, and walk along it by keyboard.
{
  const REACH = 14; // a pointer so many pixels from a mark points at it
  const LISTED = 20;

  class CodeMap {
    constructor(figure) {
      this.figure = figure;
      this.data = lookUp(figure.dataset.path);
      this.noun = figure.dataset.noun;
      this.svg = figure.querySelector("svg.points");
      this.marks = [...figure.querySelectorAll(".marks path")];
      this.places = this.marks.map(mark => mark.getAttribute("transform").match(/-?[\d.]+/g).map(Number));
      this.lines = [...figure.querySelectorAll(".legend li")];
      this.filter = new Set();
      this.words = this.marks.map((_, i) => [this.title(i), this.data.beginnings[i], this.label(i)].join(" ").toLowerCase());
      this.found = this.marks.map((_, i) => i);
      this.active = this.chosen = null;
      const [, , width, height] = this.svg.getAttribute("viewBox").split(" ").map(Number);
      this.size = [width, height];
      this.view = [0, 0, width, height];
      this.build();
      this.listen();
      this.update();
    }

    // ---- what is known of a point

    title(i) {
      return this.data.titles[i] || `${this.noun[0].toUpperCase()}${this.noun.slice(1)} ${this.data.rows[i]}`;
    }

    label(i) {
      const value = this.data.labels?.[i];
      return value == null ? "" : (this.data.label_names[value] ?? String(value));
    }

    // The label, where it is not the title.
    otherLabel(i) {
      return this.label(i) === this.data.titles[i] ? "" : this.label(i);
    }

    // The line of the legend for a point: the one that names its label, or that of the rest.
    line(i) {
      return this.lines.find(line => line.dataset.value === String(this.data.labels[i])) || this.lines[this.lines.length - 1];
    }

    // ---- the controls

    build() {
      const stage = make("div", { class: "stage" });
      this.overlay = make("g", { class: "overlay" });
      this.tip = make("div", { class: "tip", hidden: "" });
      this.spoken = make("p", { class: "unseen", "aria-live": "polite" });
      this.svg.replaceWith(stage);
      stage.append(this.svg, this.tip, this.spoken);
      this.svg.append(this.overlay);
      this.svg.setAttribute("role", "application");
      this.svg.setAttribute("tabindex", "0");
      this.svg.setAttribute("aria-label", `Map of ${this.noun}s. Arrow keys walk from one to the next, Enter chooses, plus and minus zoom, Escape leaves.`);
      this.search = make("input", { type: "search", placeholder: this.lines.length ? "title, text, label" : "title, text", "aria-label": `Search the ${this.noun}s of the map` });
      this.status = make("span", { role: "status" });
      this.all = plainButton("Show all", () => this.showAll());
      this.details = make("div", { class: "details" });
      this.list = make("div", { class: "found" });
      const side = make("div", { class: "side" }, this.details, this.list);
      const zoom = [["+", 0.6, "Zoom in"], ["−", 1 / 0.6, "Zoom out"]].map(([text, factor, name]) => plainButton(text, () => this.zoom(factor), { "aria-label": name }));
      const controls = make("div", { class: "tools" }, make("label", {}, "Search", this.search));
      controls.append(...zoom, plainButton("CSV", () => this.save(), { "aria-label": `Save as CSV: the ${this.noun}s that are shown` }));
      this.panes = make("div", { class: "panes" }, stage, side);
      this.figure.prepend(controls, make("div", { class: "tools" }, this.status, this.all), this.panes);
      for (const line of this.lines)
        line.append(make("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggle(line.dataset.value) }, ...line.childNodes));
    }

    listen() {
      this.search.addEventListener("input", () => this.update());
      this.svg.addEventListener("pointermove", event => (this.drag ? this.move(event) : this.point(this.nearest(event))));
      this.svg.addEventListener("pointerleave", () => this.point(null));
      this.svg.addEventListener("pointerdown", event => {
        this.drag = { x: event.clientX, y: event.clientY, view: [...this.view], moved: false };
      });
      addEventListener("pointercancel", () => (this.drag = null)); // a finger that scrolls the page
      addEventListener("pointerup", event => {
        const wasClick = this.drag && !this.drag.moved;
        this.drag = null;
        if (wasClick && this.svg.contains(event.target)) this.choose(this.nearest(event));
      });
      this.svg.addEventListener("keydown", event => this.key(event));
      this.svg.addEventListener("blur", () => this.point(null));
      new ResizeObserver(() => this.place()).observe(this.svg);
    }

    // ---- search, filter

    update() {
      const asked = this.search.value.trim().toLowerCase();
      const passes = i => !this.filter.size || this.filter.has(this.line(i).dataset.value);
      this.found = this.marks.map((_, i) => i).filter(i => this.words[i].includes(asked) && passes(i));
      const found = new Set(this.found), filtered = Boolean(asked) || this.filter.size > 0;
      this.marks.forEach((mark, i) => mark.classList.toggle("dim", !found.has(i)));
      const names = this.lines.filter(line => this.filter.has(line.dataset.value)).map(line => line.querySelector("span").textContent);
      const count = this.found.length.toLocaleString("en"), total = this.marks.length.toLocaleString("en");
      this.status.textContent = filtered
        ? `${count} of ${total} ${this.noun}s${names.length ? `: ${names.join("; ")}` : ""}`
        : `${total} ${this.noun}s. Point at a mark to read it, click to see its nearest neighbors. The search reads the first 200 characters of a text.`;
      this.all.hidden = !filtered;
      this.list.replaceChildren();
      if (filtered && this.found.length) {
        const more = this.found.length > LISTED ? `The first ${LISTED} of ${count}` : "Found";
        this.list.append(make("h4", {}, more), make("ol", {}, ...this.found.slice(0, LISTED).map(i => this.item(i))));
      }
    }

    toggle(value) {
      if (!this.filter.delete(value)) this.filter.add(value);
      this.press();
    }

    showAll() {
      this.search.value = "";
      this.filter.clear();
      this.press();
    }

    press() {
      for (const line of this.lines) line.firstChild.setAttribute("aria-pressed", this.filter.has(line.dataset.value));
      this.update();
    }

    save() {
      const header = ["row", "title", "label", "text"];
      downloadCsv(`map of ${this.noun}s`, [header, ...this.found.map(i => [this.data.rows[i], this.title(i), this.label(i), this.data.beginnings[i]])]);
    }

    // ---- pointing and choosing

    // Pixels of the screen per unit of the drawing.
    scale() {
      return this.svg.clientWidth / this.view[2] || 1;
    }

    onScreen(i) {
      const scale = this.scale();
      return [(this.places[i][0] - this.view[0]) * scale, (this.places[i][1] - this.view[1]) * scale];
    }

    nearest(event) {
      const box = this.svg.getBoundingClientRect();
      const x = event.clientX - box.left, y = event.clientY - box.top;
      let best = null, least = REACH;
      for (const i of this.found) {
        const [a, b] = this.onScreen(i), distance = Math.hypot(a - x, b - y);
        if (distance < least) [best, least] = [i, distance];
      }
      return best;
    }

    point(i) {
      if (i === this.active) return;
      this.active = i;
      this.tip.hidden = i == null;
      this.draw();
      if (i == null) return;
      this.tip.replaceChildren(make("b", {}, this.title(i)), make("span", { class: "soft" }, this.otherLabel(i)), make("span", {}, this.data.beginnings[i]));
      const [x, y] = this.onScreen(i), { clientWidth: width, clientHeight: height } = this.svg;
      const room = this.tip.offsetWidth, tall = this.tip.offsetHeight;
      this.tip.style.left = `${Math.max(0, Math.min(width - room, x + 12))}px`;
      this.tip.style.top = `${y + 14 + tall > height && y - 14 - tall > 0 ? y - 14 - tall : y + 14}px`;
    }

    choose(i) {
      this.chosen = i;
      this.details.replaceChildren();
      this.tip.hidden = true; // it would cover the neighbors
      this.draw();
      if (i == null) return;
      const facts = this.label(i) ? [make("p", {}, `Label: ${this.label(i)}`)] : [];
      const near = this.data.neighbors[i];
      this.details.append(make("h3", {}, this.title(i)), ...facts, make("p", {}, this.data.beginnings[i]));
      if (near.length)
        this.details.append(
          make("h4", {}, `Nearest ${this.noun}s of the map, by the cosine of their codes`),
          make("ol", {}, ...near.map((other, rank) => this.item(other, this.data.cosines[i][rank].toFixed(2)))));
      this.spoken.textContent = `Chosen: ${this.title(i)}`;
    }

    // A line of a list, which chooses a point.
    item(i, score) {
      const text = [...new Set([this.data.titles[i], this.label(i), this.data.beginnings[i]])].filter(Boolean).join(" · ");
      const onclick = () => {
        this.choose(i);
        if (!this.details.contains(document.activeElement)) this.details.querySelector("button, a")?.focus();
      };
      return make("li", {}, make("button", { type: "button", onclick, onpointerenter: () => this.point(i), onpointerleave: () => this.point(null) },
        ...(score ? [make("b", {}, score)] : []), make("span", { class: "clip" }, text)));
    }

    draw() {
      const parts = [], radius = 8 / this.scale();
      const ring = (i, kind) => make("circle", { class: kind, cx: this.places[i][0], cy: this.places[i][1], r: radius });
      if (this.chosen != null) {
        const [x1, y1] = this.places[this.chosen];
        for (const i of this.data.neighbors[this.chosen])
          parts.push(make("line", { x1, y1, x2: this.places[i][0], y2: this.places[i][1] }), ring(i, "near"));
        parts.push(ring(this.chosen, "chosen"));
      }
      if (this.active != null) parts.push(ring(this.active, "active"));
      this.overlay.replaceChildren(...parts);
    }

    // ---- zoom and keyboard

    // Marks keep their size on the screen.
    place() {
      const crowd = Math.min(1.6, Math.max(0.8, 1.15 * Math.sqrt(800 / this.marks.length)));
      const size = (crowd * Math.min(1, Math.sqrt(this.svg.clientWidth / 640))) / this.scale();
      this.marks.forEach((mark, i) => mark.setAttribute("transform", `translate(${this.places[i][0]} ${this.places[i][1]}) scale(${size.toFixed(3)})`));
      this.draw();
    }

    look(x, y, width) {
      const [fullWidth, fullHeight] = this.size, height = (width * fullHeight) / fullWidth;
      this.view = [Math.min(Math.max(x, 0), fullWidth - width), Math.min(Math.max(y, 0), fullHeight - height), width, height];
      this.svg.setAttribute("viewBox", this.view.join(" "));
      this.svg.classList.toggle("zoomed", width < fullWidth);
    }

    zoom(factor) {
      const width = Math.min(this.size[0], Math.max(this.size[0] / 20, this.view[2] * factor));
      const focus = this.active ?? this.chosen;
      const center = focus == null ? [this.view[0] + this.view[2] / 2, this.view[1] + this.view[3] / 2] : this.places[focus];
      this.look(center[0] - width / 2, center[1] - (width * this.size[1]) / this.size[0] / 2, width);
      this.place();
    }

    move(event) {
      const { x, y, view } = this.drag, scale = this.scale();
      if (Math.hypot(event.clientX - x, event.clientY - y) > 4) this.drag.moved = true;
      if (this.drag.moved && this.view[2] < this.size[0]) this.look(view[0] - (event.clientX - x) / scale, view[1] - (event.clientY - y) / scale, view[2]);
    }

    key(event) {
      const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (event.key in directions) this.walk(directions[event.key]);
      else if (event.key === "Enter" || event.key === " ") this.choose(this.active);
      else if (event.key === "Escape") { this.point(null); this.choose(null); }
      else if (event.key === "+" || event.key === "=") this.zoom(0.6);
      else if (event.key === "-") this.zoom(1 / 0.6);
      else return;
      event.preventDefault();
    }

    // To the nearest point within 45 degrees of a direction; from nowhere to the chosen point, or the one next to the center.
    walk([dx, dy]) {
      let next = null, least = Infinity;
      const start = this.active ?? this.chosen;
      const [x, y] = start == null ? [this.view[0] + this.view[2] / 2, this.view[1] + this.view[3] / 2] : this.places[start];
      for (const i of this.found) {
        const along = (this.places[i][0] - x) * dx + (this.places[i][1] - y) * dy;
        const distance = Math.hypot(this.places[i][0] - x, this.places[i][1] - y);
        if (start != null && (i === start || along < distance * Math.SQRT1_2 || distance === 0)) continue;
        if (distance < least) [next, least] = [i, distance];
      }
      if (next == null) return;
      this.point(next);
      this.spoken.textContent = [this.title(next), this.otherLabel(next)].filter(Boolean).join(", ");
    }
  }

  for (const figure of document.querySelectorAll(".map")) new CodeMap(figure);
}
