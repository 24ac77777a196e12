// Puts an explorer together: search, list, map, panel and relations follow one state; edits are saved as a file.

class TopicExplorer {
  constructor(root, data) {
    Object.assign(this, { root, data });
    this.state = {
      selected: data.topics.length ? this.largest() : null, dims: false, text: null, found: null,
      select: topic => this.select(topic), choose: place => this.choose(place), edit: change => this.edit(change),
    };
    this.map = new TopicMap(data, this.state);
    this.panel = new TopicPanel(data, this.state);
    this.list = root.querySelector(".topic-list");
    this.build();
    this.update(true);
  }

  largest() {
    return this.data.topics.reduce((a, b) => (b.size > a.size ? b : a)).number;
  }

  // ---- state

  select(topic) {
    Object.assign(this.state, { selected: topic ?? this.state.selected, dims: topic != null, text: null });
    this.update();
  }

  choose(place) {
    this.state.text = place;
    if (place != null) this.state.selected = this.data.group(this.data.topicOf(this.data.arrays.rows[place]));
    this.update();
    if (place != null) this.panel.element.scrollTop = 0;
  }

  edit(change) {
    change();
    if (this.state.selected != null) this.state.selected = this.data.group(this.state.selected);
    this.update(true);
  }

  // Pictures that do not show the selection are drawn anew after edits alone.
  update(edited = false) {
    this.drawList();
    this.map.draw();
    this.panel.draw();
    const moved = this.drawnFor !== this.state.selected;
    for (const [name, draw] of this.relations) if (edited || (moved && (name === "tree" || name === "times"))) draw();
    this.drawnFor = this.state.selected;
    this.save.hidden = this.undo.hidden = !this.data.edited;
  }

  // ---- controls

  build() {
    const { data, root } = this;
    this.search = make("input", { type: "search", placeholder: `Search words and ${data.plural}`, "aria-label": `Search ${data.texts} and ${data.plural}` });
    this.search.addEventListener("input", () => this.find());
    this.status = make("span", { role: "status", class: "soft small" });
    this.said = make("p", { role: "status", class: "soft small" });
    this.save = plainButton("Save edits", () => this.saveEdits());
    this.undo = plainButton("Undo all", () => this.edit(() => (data.edits = { labels: {}, merge: [], hide: [] })));
    const file = make("input", { type: "file", accept: ".json,application/json", hidden: "" });
    file.addEventListener("change", async () => this.openEdits(file));
    const stage = root.querySelector(".topic-map");
    stage.replaceChildren(
      make("div", { class: "tools" }, ...[["+", 1.6, "Zoom in"], ["−", 1 / 1.6, "Zoom out"]].map(([text, factor, name]) => plainButton(text, () => this.map.zoomAt(factor), { "aria-label": name })),
        plainButton("Show all", () => { this.map.showAll(); this.select(null); }), ...this.mapButtons(), this.status),
      this.map.element, ...stage.querySelectorAll("figcaption"));
    root.querySelector(".topic-search").append(this.search);
    root.querySelector(".topic-side").append(make("div", { class: "tools edits" }, this.save, this.undo, plainButton("Open edits", () => file.click()), file), this.said);
    root.querySelector(".explorer-top").append(this.panel.element);
    this.relations = new Map();
    for (const element of document.querySelectorAll(`[data-relation][data-explorer="${root.dataset.explorer}"]`)) this.relate(element);
    root.querySelector(".topic-cards")?.remove();
    root.classList.add("works");
  }

  mapButtons() {
    const [svg, png] = saveButtons(`map of ${this.data.texts}`, () => this.map.toSvg());
    return [svg, png];
  }

  // The table below a picture stays, folded away.
  relate(element) {
    const { data, state } = this, picture = make("div", { class: "relation" });
    const [heading, ...rest] = element.children, table = make("details", {}, make("summary", {}, "As a table"), ...rest);
    element.replaceChildren(heading, picture, table);
    const draw = {
      tree: () => tree.draw(), classes: () => drawClasses(picture, data, state),
      similarity: () => drawSimilarity(picture, data, state), times: () => drawTimes(picture, data, state),
    }[element.dataset.relation];
    const tree = element.dataset.relation === "tree" ? new TopicTree(data, state) : null;
    if (tree) picture.replaceWith(tree.element);
    this.relations.set(element.dataset.relation, draw);
  }

  drawList() {
    const { data, state } = this, query = this.search.value.trim().toLowerCase();
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.topic : null;
    const topics = [...data.groups].sort((a, b) => data.hidden(a) - data.hidden(b) || a - b);
    this.list.replaceChildren(...topics.map(topic => {
      const named = query && (data.label(topic).toLowerCase().includes(query) || data.words(topic).some(each => each.word === query));
      const number = state.found ? `${count(state.found.number(topic))} of ${count(data.size(topic))}` : count(data.size(topic));
      const button = make("button", { type: "button", "data-topic": topic, "aria-pressed": topic === state.selected, onclick: () => this.select(topic), class: named ? "named" : "" },
        make("span", { class: "swatch" }), make("span", { class: "no" }, topic), make("span", { class: "label" }, data.label(topic)), make("small", {}, number));
      return make("li", { class: `k${topic}${data.hidden(topic) ? " away" : ""}` }, button);
    }));
    if (focused != null) this.list.querySelector(`[data-topic="${data.group(Number(focused))}"]`)?.focus();
  }

  find() {
    const query = this.search.value.trim();
    this.state.found = query ? this.data.search(query) : null;
    if (this.state.found && !this.state.found.words.length) this.state.found = null;
    Object.assign(this.state, { text: null, dims: false });
    const { found } = this.state;
    this.status.textContent = found ? `${count(found.rows.length)} of ${count(this.data.num_texts)} ${this.data.texts}` : "";
    this.update();
  }

  // ---- edits

  saveEdits() {
    const text = `${JSON.stringify(this.data.toFile(), null, 1)}\n`;
    saveFile("edits.json", new Blob([text], { type: "application/json" }));
    this.said.textContent = "Saved as edits.json. The option --edits=edits.json and TopicModel.apply_edits apply it.";
  }

  async openEdits(file) {
    if (!file.files.length) return;
    const fault = this.data.fromFile(await file.files[0].text());
    this.said.textContent = fault || "The edits of this file are shown.";
    file.value = "";
    this.edit(() => {});
  }
}

for (const root of document.querySelectorAll(".explorer"))
  TopicData.read(document.getElementById(`topics-${root.dataset.explorer}`)).then(data => new TopicExplorer(root, data));
